"""What the rows tell of runs and batches, for those who may look at them."""

from collections.abc import Collection
from typing import Any

from django.db.models import Count, Sum

from gateway.errors import NotFound
from routing.chat import Json
from routing.pricing import nano_to_usd
from workflows_app.models import OpRun, Workflow, WorkflowRun
from workflows_app.run import ENDED, OpState, milliseconds


def find_workflow(name: str) -> Workflow:
    row = Workflow.objects.filter(name=name, enabled=True).first()
    if row is None:
        raise NotFound(
            f"There is no stored workflow {name[:64]!r}. Send the name of one, or the "
            "text of a workflow.",
            param="workflow",
            code="workflow_not_found",
        )
    return row


def details(run_id: str, scope: str) -> Json | None:
    """`GET /v1/workflows/runs/{run_id}` from the rows of this scope."""
    row = WorkflowRun.objects.filter(run_id=run_id, scope=scope).first()
    if row is None:
        return None
    every = list(row.ops.all())
    ops = [op for op in every if op.status != "pruned"]
    begun = {op.op: op_details(op) for op in every}
    waiting = {name: OpState().to_json() for name in row.plan.get("order", ())}
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
        "ops": {**waiting, **begun},
    }


def happened(run_id: str, scope: str, known: Collection[str]) -> Json | None:
    """How a run stands, with those of its ops whose end is not known yet."""
    rows = WorkflowRun.objects.filter(run_id=run_id, scope=scope)
    run = rows.values("pk", "status", "plan").first()  # before the ops: it ends last
    if run is None:
        return None
    begun = OpRun.objects.filter(run=run["pk"]).exclude(op__in=known)
    ops = [op for op in begun.order_by("started_s", "id") if op.status != "pruned"]
    return {
        "status": run["status"],
        "plan": run["plan"],
        "ops": {op.op: op_details(op) for op in ops},
        "outputs": {op.op: op.output for op in ops},
        "said": {op.op: op.said for op in ops},
    }


def batch_state(batch_id: str, scope: str) -> Json | None:
    """How many runs of a batch are in which state, and what they cost so far."""
    rows = WorkflowRun.objects.filter(batch=batch_id, scope=scope).order_by()
    counts = dict(rows.values_list("status").annotate(Count("pk")))
    if not counts:
        return None
    left = counts.get("queued", 0) + counts.get("running", 0)
    status = "running" if left else "succeeded"
    for bad in ("failed", "cancelled"):
        if not left and counts.get(bad):
            status = bad
    cost = rows.aggregate(cost=Sum("cost_nano", default=0))["cost"]
    return {
        "batch_id": batch_id,
        "status": status,
        "total": sum(counts.values()),
        "counts": counts,
        "total_cost_usd": nano_to_usd(cost),
    }


def batch_results(batch_id: str, after: int, limit: int) -> list[Json]:
    """Runs that have ended, in the order of their inputs, beginning behind `after`."""
    rows = WorkflowRun.objects.filter(batch=batch_id, status__in=ENDED)
    found = rows.filter(number__gt=after).order_by("number").prefetch_related("ops")
    return [result_of(row) for row in found[:limit]]


def new_results(batch_id: str, told: frozenset[int], limit: int) -> list[Json]:
    """Runs that have ended and were not told of."""
    rows = WorkflowRun.objects.filter(batch=batch_id, status__in=ENDED)
    ended = set(rows.values_list("number", flat=True)) - told
    chosen = sorted(ended)[:limit]
    found = WorkflowRun.objects.filter(batch=batch_id, number__in=chosen)
    in_order = found.order_by("number").prefetch_related("ops")
    return [result_of(row) for row in in_order]


def result_of(row: WorkflowRun) -> Json:
    ops = list(row.ops.all())
    return {
        "index": row.number,
        "run_id": row.run_id,
        "status": row.status,
        "outputs": {op.op: op.output for op in ops if op.output is not None},
        "costs": {op.op: nano_to_usd(op.cost_nano) for op in ops if op.backend},
        "final_output": row.final_output,
        "error": row.error or None,
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
