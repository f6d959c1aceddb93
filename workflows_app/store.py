"""Runs as rows: written as they go on, read back to look at or to go on with."""

import os
import secrets
import socket
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from gateway.ledger.books import Caller
from routing.chat import Json
from routing.pricing import nano_to_usd
from workflows_app.errors import InvalidWorkflow
from workflows_app.models import OpRun, Workflow, WorkflowRun
from workflows_app.reader import read
from workflows_app.run import ENDED, OpState, Options, Run, milliseconds

# An owner that hasn't renewed its lease for so long is taken for dead.
LEASE = timedelta(seconds=15)
OP_FIELDS = (
    "status",
    "calls",
    "tier",
    "backend",
    "cache",
    "cost_nano",
    "prompt_tokens",
    "completion_tokens",
    "cached_tokens",
    "request_ids",
    "reason",
    "started_s",
    "ended_s",
)
UPDATED = (*OP_FIELDS, "output", "items")


def owner_name() -> str:
    """This process: machine, process id, and what tells it from a later one."""
    return f"{socket.gethostname()[:60]}/{os.getpid()}/{secrets.token_hex(4)}"


def find_workflow(name: str) -> Workflow:
    row = Workflow.objects.filter(name=name, enabled=True).first()
    if row is None:
        raise InvalidWorkflow(
            f"There is no stored workflow {name[:64]!r}. Send the name of one, or the "
            "text of a workflow."
        )
    return row


# --- Writing -------------------------------------------------------------------------


def create(run: Run, owner: str) -> None:
    """The row of a run that begins now in the process `owner`, or waits for one."""
    lease = timezone.now() + LEASE if owner else None
    WorkflowRun.objects.create(**_columns(run), owner=owner, lease_until=lease)


def save_op(run: Run, name: str) -> None:
    row_id = WorkflowRun.objects.values_list("pk", flat=True).get(run_id=run.run_id)
    state = run.ops[name]
    OpRun.objects.update_or_create(
        run_id=row_id, op=name, defaults=_op_columns(run, name, state)
    )


def save_end(run: Run) -> None:
    """The whole run with all its ops, as it ended."""
    with transaction.atomic():
        row, _ = WorkflowRun.objects.update_or_create(
            run_id=run.run_id,
            defaults={
                **_columns(run),
                "owner": "",
                "lease_until": None,
                "finished_at": timezone.now(),
            },
        )
        OpRun.objects.bulk_create(
            [
                OpRun(run=row, op=name, **_op_columns(run, name, state))
                for name, state in run.ops.items()
            ],
            update_conflicts=True,
            unique_fields=("run", "op"),
            update_fields=UPDATED,
        )


def release(run: Run) -> None:
    """Put an interrupted run back into the queue."""
    WorkflowRun.objects.filter(run_id=run.run_id).update(
        status="queued", owner="", lease_until=None
    )


def _columns(run: Run) -> Json:
    name, version = run.workflow or ("", None)
    return {
        "run_id": run.run_id,
        "workflow": name or run.definition.name[:64],
        "version": version,
        "scope": run.caller.scope,
        "key_name": run.caller.key_name,
        "mode": run.options.mode,
        "status": run.status,
        "error": run.error,
        "error_code": run.error_code,
        "text": run.definition.text,
        "inputs": run.inputs.to_json(),
        "caller": asdict(run.caller),
        "options": asdict(run.options),
        "plan": run.plan.to_json(),
        "final_output": run.final_output() if run.ended else None,
        "cost_nano": run.cost_nano,
        "total_ms": run.total_ms,
    }


def _op_columns(run: Run, name: str, state: OpState) -> Json:
    items = {
        f"{op}#{number}": text
        for (op, number), text in run.kept.items()
        if op.startswith(f"{name}/") and state.status == "running"
    }
    columns = {field: getattr(state, field) for field in OP_FIELDS}
    return {**columns, "output": state.value, "items": items}


# --- The queue -----------------------------------------------------------------------


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
    if rows.filter(status="queued").update(
        status="cancelled", error="It was cancelled.", error_code="run_cancelled"
    ):
        return True
    return bool(rows.update(cancel_asked=True))


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
    claimed = []
    waiting = WorkflowRun.objects.filter(free, mode="background").order_by("id")
    for row in waiting[:limit]:
        mine = WorkflowRun.objects.filter(free, pk=row.pk, owner=row.owner)
        taken = mine.update(owner=owner, status="running", lease_until=now + LEASE)
        if taken:
            claimed.append(_saved(row))
    return claimed


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


def _saved(row: WorkflowRun) -> Json:
    """What is needed to go on with a run: see Runs.resume."""
    return {
        "run_id": row.run_id,
        "workflow": (row.workflow, row.version) if row.version else None,
        "text": row.text,
        "inputs": row.inputs,
        "caller": row.caller,
        "options": row.options,
        "cancel_asked": row.cancel_asked,
        "ops": [
            {"op": op.op, "items": op.items, "output": op.output}
            | {field: getattr(op, field) for field in OP_FIELDS}
            for op in row.ops.all()
        ],
    }


def restore(run: Run, ops: list[Json]) -> None:
    """Give a run what an earlier process had finished of it."""
    for saved in ops:
        name = saved["op"]
        if name not in run.plan.order:
            continue  # pruned, or done by its twin
        state = run.ops[name]
        for key, text in saved["items"].items():
            op, _, number = key.rpartition("#")
            run.kept[op, int(number)] = text
        for field in OP_FIELDS:
            setattr(state, field, saved[field])
        state.value = saved["output"]
        if state.status in ("succeeded", "skipped"):
            run.share_with_twins(name)
        elif state.status != "failed" or run.definition.ops[name].on_error == "fail":
            state.status = "waiting"
    run.spending.spent = run.cost_nano


def caller_of(saved: Json) -> Caller:
    return Caller(**{k: v for k, v in saved.items() if k in Caller.__slots__})


def options_of(saved: Json) -> Options:
    return Options(**{k: v for k, v in saved.items() if k in Options.__slots__})


# --- Looking -------------------------------------------------------------------------


def details(run_id: str, scope: str) -> Json | None:
    """`GET /v1/workflows/runs/{run_id}` from the rows of this scope."""
    row = WorkflowRun.objects.filter(run_id=run_id, scope=scope).first()
    if row is None:
        return None
    ops = [op for op in row.ops.all() if op.status != "pruned"]
    error = {"message": row.error, "code": row.error_code} if row.error else None
    return {
        "run_id": row.run_id,
        "status": row.status,
        "workflow": row.workflow or None,
        "version": row.version,
        "created_at": row.created_at.isoformat(),
        "finished_at": row.finished_at and row.finished_at.isoformat(),
        "outputs": {op.op: op.output for op in ops if op.output is not None},
        "routing": {op.op: op.backend for op in ops if op.backend},
        "costs": {op.op: nano_to_usd(op.cost_nano) for op in ops if op.backend},
        "total_ms": row.total_ms,
        "final_output": row.final_output,
        "total_cost_usd": nano_to_usd(row.cost_nano or sum(o.cost_nano for o in ops)),
        "error": error,
        "ops": {op.op: op_details(op) for op in row.ops.all()},
    }


def op_details(op: OpRun) -> dict[str, Any]:
    return {
        "status": op.status,
        "calls": op.calls,
        "tier": op.tier,
        "backend": op.backend,
        "cache": op.cache,
        "cost_usd": nano_to_usd(op.cost_nano),
        "prompt_tokens": op.prompt_tokens,
        "completion_tokens": op.completion_tokens,
        "cached_tokens": op.cached_tokens,
        "request_ids": op.request_ids,
        "reason": op.reason,
        "started_ms": milliseconds(op.started_s),
        "ended_ms": milliseconds(op.ended_s),
    }
