"""The queue of background runs: who has which run, and for how long."""

import os
import secrets
import socket
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from routing.chat import Json
from workflows_app.errors import InvalidWorkflow
from workflows_app.models import BatchCeiling, SharedCall, WorkflowRun
from workflows_app.reader import read
from workflows_app.run import ENDED
from workflows_app.store import LEASE, saved, taken_s


def owner_name() -> str:
    """This process: machine, process id, and what tells it from a later one."""
    return f"{socket.gethostname()[:60]}/{os.getpid()}/{secrets.token_hex(4)}"


def renew(owner: str) -> list[str]:
    """Keep the runs of this process for a while longer; which they are."""
    mine = WorkflowRun.objects.filter(owner=owner, status="running")
    mine.update(lease_until=timezone.now() + LEASE)
    return list(mine.values_list("run_id", flat=True))


def asked_to_cancel(owner: str) -> list[str]:
    rows = WorkflowRun.objects.filter(owner=owner, cancel_asked=True, status="running")
    return list(rows.values_list("run_id", flat=True))


def ask_to_cancel(run_id: str, scope: str | None) -> bool:
    """Whether there is such a run that hasn't ended; `scope` None is an operator's."""
    rows = WorkflowRun.objects.filter(run_id=run_id, status__in=("queued", "running"))
    if scope is not None:
        rows = rows.filter(scope=scope)
    return bool(cancel_waiting(rows) or rows.update(cancel_asked=True))


def cancel_waiting(runs: QuerySet[WorkflowRun]) -> int:
    """Of these, those that no process has; how many they were."""
    return runs.filter(status="queued").update(
        status="cancelled",
        error="It was cancelled.",
        error_code="run_cancelled",
        finished_at=timezone.now(),
    )


def queue_again(row: WorkflowRun, ops: set[str] | None) -> bool:
    """Let an ended run go on in the background: what succeeded is kept, except for
    `ops` and all that follows them; None keeps nothing."""
    with transaction.atomic():
        ended = WorkflowRun.objects.filter(pk=row.pk, status__in=ENDED)
        again = ended.update(
            status="queued",
            mode="background",
            options={**row.options, "mode": "background"},
            error="",
            error_code="",
            owner="",
            cancel_asked=False,
            finished_at=None,
        )
        if not again:
            return False
        WorkflowRun.objects.filter(pk=row.pk).exclude(webhook="").update(
            webhook_state=WorkflowRun.Webhook.WAITING, webhook_tries=0, webhook_due=None
        )
        if ops is None:
            row.ops.all().delete()
            return True
        try:
            children = read(row.text).children
        except InvalidWorkflow:  # it will fail with that
            children = {}
        todo, stale = list(ops), set(ops)
        while todo:
            for child in children.get(todo.pop(), ()):
                if child not in stale:
                    stale.add(child)
                    todo.append(child)
        row.ops.filter(op__in=stale).delete()
        row.ops.exclude(status__in=("succeeded", "skipped", "merged")).delete()
    return True


def claim(owner: str, limit: int) -> list[Json]:
    """Take over up to `limit` runs that wait, or whose owner is dead."""
    now = timezone.now()
    free = Q(status="queued") | Q(status="running", lease_until__lt=now)
    running = WorkflowRun.objects.filter(status="running").exclude(owner=owner)
    for other in set(running.values_list("owner", flat=True)):
        if is_dead(other, owner):
            free |= Q(status="running", owner=other)
    waiting = WorkflowRun.objects.filter(free, mode="background").exclude(owner=owner)
    chosen = list(waiting.order_by("id").values_list("pk", flat=True)[:limit])
    # One statement, so that of two processes only one finds a row still free.
    taken = WorkflowRun.objects.filter(free, pk__in=chosen)
    # Nobody waits for calls of a process that is gone; they count as made.
    taken.update(
        owner=owner,
        status="running",
        lease_until=now + LEASE,
        started_at=now,
        set_aside_nano=0,
    )
    mine = WorkflowRun.objects.filter(pk__in=chosen, owner=owner).order_by("id")
    found = [saved(row) for row in mine.prefetch_related("ops")]
    for run in found:
        if before := taken_s(run["ops"]):
            moment = now - timedelta(seconds=before)
            mine.filter(pk=run["row_id"]).update(started_at=moment)
    return found


def give_up(run_id: str, error: str, code: str) -> None:
    """A run that can't go on."""
    WorkflowRun.objects.filter(run_id=run_id).update(
        status="failed",
        error=error,
        error_code=code,
        owner="",
        finished_at=timezone.now(),
    )


def is_dead(owner: str, myself: str) -> bool:
    """Was it a process of this machine that is gone?"""
    host, _, rest = owner.partition("/")
    process = rest.partition("/")[0]
    if host != socket.gethostname()[:60] or not process.isdigit():
        return False
    if owner.rpartition("/")[0] == myself.rpartition("/")[0]:
        return True  # an earlier one had our number
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def forget_before(moment: datetime) -> None:
    rows = WorkflowRun.objects.filter(created_at__lt=moment, status__in=ENDED)
    rows.delete()
    batches = WorkflowRun.objects.exclude(batch="").values("batch")
    old = {"created_at__lt": moment}
    BatchCeiling.objects.filter(**old).exclude(batch__in=batches).delete()
    SharedCall.objects.filter(**old).exclude(batch__in=batches).delete()


def cancel_batch(batch_id: str, scope: str) -> None:
    rows = WorkflowRun.objects.filter(batch=batch_id, scope=scope)
    rows.filter(status="running").update(cancel_asked=True)
    cancel_waiting(rows)
