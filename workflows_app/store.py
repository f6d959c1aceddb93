"""Runs as rows: written as they go on, read back to look at or to go on with."""

from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from gateway.ledger.books import Caller
from routing.chat import Json
from workflows_app.models import BatchCeiling, OpRun, WorkflowRun
from workflows_app.run import OpState, Options, Run
from workflows_app.spending import Room

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
OF_THE_KEY = ("models", "rules")  # of a caller: never kept, always as they are now
UPDATED = (*OP_FIELDS, "output", "items", "said")


def create(run: Run, owner: str) -> None:
    """The row of a run that begins now in the process `owner`, or waits for one."""
    now = timezone.now() if owner else None
    lease = now and now + LEASE
    row = WorkflowRun.objects.create(
        **_columns(run), owner=owner, lease_until=lease, started_at=now
    )
    run.row_id = row.pk


def create_batch(batch_id: str, runs: list[Run], limit_nano: int | None) -> None:
    """The rows of all runs at once; they wait in the queue."""
    rows = [
        WorkflowRun(**_columns(run), batch=batch_id, number=number)
        for number, run in enumerate(runs)
    ]
    with transaction.atomic():
        if limit_nano is not None:
            BatchCeiling.objects.create(batch=batch_id, limit_nano=limit_nano)
        WorkflowRun.objects.bulk_create(rows, batch_size=500)


def op_row(run: Run, name: str) -> OpRun:
    row = WorkflowRun(pk=run.row_id)
    return OpRun(run=row, op=name, **_op_columns(run, name, run.ops[name]))


def save_spending(run: Run) -> Room:
    """What counts against its ceiling if this process hears no more of it. Nothing is
    written when the batch that shares the ceiling has no room for more."""
    rows = WorkflowRun.objects.filter(run_id=run.run_id)
    now, aside = run.spending.at_most, run.spending.reserved
    if not run.options.ceiling_of:
        rows.update(at_most_nano=now, set_aside_nano=aside)
        return Room.TAKEN
    with transaction.atomic():
        before = rows.select_for_update().values_list("at_most_nano", flat=True).get()
        ceiling = BatchCeiling.objects.filter(batch=run.options.ceiling_of)
        # Locked, so that nobody gives back or takes between the two looks.
        room = ceiling.select_for_update().get()
        if now > before and room.at_most_nano + now - before > room.limit_nano:
            others = pays_in(room.batch, besides=run.run_id)
            return Room.LATER if others else Room.NEVER
        ceiling.update(at_most_nano=room.at_most_nano + now - before)
        rows.update(at_most_nano=now, set_aside_nano=aside)
    return Room.TAKEN


def pays_in(batch: str, besides: str) -> bool:
    """Have other runs of a batch calls under way, in a process that is alive?"""
    paying = WorkflowRun.objects.filter(batch=batch, set_aside_nano__gt=0)
    alive = paying.filter(status="running", lease_until__gte=timezone.now())
    return alive.exclude(run_id=besides).exists()


def save_progress(rows: list[OpRun], runs: list[Run]) -> None:
    """Ops that have ended, and what their runs have spent, in one transaction."""
    with transaction.atomic():
        save_ops(rows)
        for run in runs:
            if run.spending.limit is not None:
                save_spending(run)


def save_ops(rows: list[OpRun]) -> None:
    OpRun.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=("run", "op"),
        update_fields=UPDATED,
    )


def save_running(rows: list[OpRun]) -> None:
    """Ops that go on. A row that is there may say that they have ended, or what they
    have finished: it learns nothing but what they have said since."""
    with transaction.atomic():
        OpRun.objects.bulk_create(rows, ignore_conflicts=True)
        for row in rows:
            if row.said:
                goes_on = OpRun.objects.filter(
                    run_id=row.run_id, op=row.op, status="running"
                )
                goes_on.update(said=row.said)


def save_end(run: Run) -> None:
    """The whole run with all its ops, as it ended."""
    ending = storable(
        {
            **{name: getattr(run, name) for name in ("status", "error", "error_code")},
            "final_output": run.final_output(),
            "cost_nano": run.cost_nano,
            "total_ms": run.total_ms,
            "owner": "",
            "lease_until": None,
            "finished_at": timezone.now(),
        }
    )
    with transaction.atomic():
        if run.row_id is None:
            row = WorkflowRun.objects.create(**{**_columns(run), **ending})
            run.row_id = row.pk
        else:
            WorkflowRun.objects.filter(pk=run.row_id).update(**ending)
            if run.spending.limit is not None:
                save_spending(run)
        save_ops([op_row(run, name) for name in run.ops])


def release(run: Run) -> None:
    """Put an interrupted run back into the queue."""
    with transaction.atomic():
        save_spending(run)
        WorkflowRun.objects.filter(run_id=run.run_id).update(
            status="queued", owner="", lease_until=None
        )


def _columns(run: Run) -> Json:
    name, version = run.workflow or ("", None)
    columns = {
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
        "caller": caller_to_json(run.caller),
        "options": asdict(run.options),
        "webhook": run.options.webhook,
        "webhook_state": "waiting" if run.options.webhook else "",
        "plan": run.plan.to_json(),
        "final_output": run.final_output() if run.ended else None,
        "cost_nano": run.cost_nano,
        "total_ms": run.total_ms,
    }
    return storable(columns)


def _op_columns(run: Run, name: str, state: OpState) -> Json:
    items = {
        f"{op}#{number}": text
        for (op, number), text in run.kept.items()
        if op.startswith(f"{name}/") and state.status == "running"
    }
    columns = {field: getattr(state, field) for field in OP_FIELDS}
    said = state.said if state.status == "running" else {}
    return storable({**columns, "output": state.value, "items": items, "said": said})


def storable(value: Any) -> Any:
    """The same without NUL, which PostgreSQL's texts can't hold: what a client or a
    model wrote must not cost a row."""
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd")
    if isinstance(value, dict):
        return {storable(key): storable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [storable(each) for each in value]
    return value


def saved(row: WorkflowRun) -> Json:
    """What is needed to go on with a run: see Runs.resume."""
    return {
        "run_id": row.run_id,
        "row_id": row.pk,
        "batch": row.batch,
        "workflow": (row.workflow, row.version) if row.version else None,
        "text": row.text,
        "inputs": row.inputs,
        "caller": row.caller,
        "options": row.options,
        "cancel_asked": row.cancel_asked,
        "at_most_nano": row.at_most_nano,
        "ops": [
            {"op": op.op, "items": op.items, "output": op.output}
            | {field: getattr(op, field) for field in OP_FIELDS}
            for op in row.ops.all()
        ],
    }


def restore(run: Run, ops: list[Json], at_most_nano: int) -> None:
    """Give a run what an earlier process had finished of it. What that one had under
    way counts as spent."""
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
    run.spending.spent = max(run.cost_nano, at_most_nano)
    run.before_s = taken_s(ops)


def taken_s(ops: Iterable[Json]) -> float:
    """Seconds from a run's start to the last end of an op that is known of it."""
    return max((op["ended_s"] or 0.0 for op in ops), default=0.0)


def caller_to_json(caller: Caller) -> Json:
    """Without what its key says anew when the run goes on."""
    names = [name for name in Caller.__slots__ if name not in OF_THE_KEY]
    return {name: getattr(caller, name) for name in names}


def caller_of(saved: Json, key: Caller | None) -> Caller:
    """Who started a run, held to what the key's models and limits are now."""
    caller = Caller(**{k: v for k, v in saved.items() if k in Caller.__slots__})
    if key is None:
        return caller
    return replace(caller, **{name: getattr(key, name) for name in OF_THE_KEY})


def options_of(saved: Json) -> Options:
    return Options(**{k: v for k, v in saved.items() if k in Options.__slots__})
