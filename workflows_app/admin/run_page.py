"""What the pages of runs show: pictures, tables, and two runs side by side."""

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.html import format_html, format_html_join

from gateway.errors import GatewayError
from gateway.models import RequestLog
from gateway.request_ids import shortened
from routing.money_format import dollars
from workflows_app import drawing, reader
from workflows_app.drawing import Bar, Node, duration
from workflows_app.models import OpRun, WorkflowRun
from workflows_app.run import ENDED, OP_ENDED

OP_HEADERS = (
    "Op",
    "State",
    "Tier",
    "Backend",
    "Cache",
    "Calls",
    "Tokens in / cached / out",
    "Cost",
    "Time",
    "Requests",
    "Why",
)
COMPARED = ("Op", "First", "Second", "First's output", "Second's output")


def pictures(run: WorkflowRun, now: datetime) -> dict[str, Any]:
    """The graph and the time axis of a run, both as a table, and how far it is."""
    begun = {row.op: row for row in run.ops.all()}
    path = set(run.plan.get("critical_path", ()))
    try:
        parents = reader.read(run.text).parents
    except GatewayError:
        parents = {name: () for name in begun}
    rows = [begun.get(name) or OpRun(op=name) for name in in_order(parents)]
    for row in rows:
        row.status = shown_state(row, run)
    if run.status == "running" and run.started_at:
        until_now(rows, (now - run.started_at).total_seconds())
    links = links_of(rows)
    nodes = [
        Node(
            row.op,
            parents[row.op],
            where(row),
            spent(row),
            row.status,
            next(iter(links[row.op].values()), ""),
            row.op in path,
        )
        for row in rows
    ]
    return {
        "picture": drawing.graph(nodes),
        "timeline": drawing.gantt(bars_of(rows, path)),
        "ops": {"headers": OP_HEADERS, "rows": [row_of(r, links[r.op]) for r in rows]},
        "how_far": how_far(run, rows),
        "goes_on": run.status not in ENDED,
    }


def shown_state(row: OpRun, run: WorkflowRun) -> str:
    """The plan knows which op will never begin, and an end leaves none waiting."""
    if row.op in run.plan.get("pruned", ()):
        return "pruned"
    if row.status in ("", "waiting"):
        return "not begun" if run.status in ENDED else "waiting"
    return row.status


def until_now(rows: list[OpRun], seconds: float) -> None:
    """An op that goes on has taken what its run's clock has come to."""
    for row in rows:
        if row.status == "running" and row.started_s is not None:
            row.ended_s = max(row.started_s, seconds)


def bars_of(rows: list[OpRun], path: set[str]) -> list[Bar]:
    return [
        Bar(row.op, row.started_s, row.ended_s, row.status, spent(row), row.op in path)
        for row in rows
        if row.started_s is not None and row.ended_s is not None
    ]


def how_far(run: WorkflowRun, rows: list[OpRun]) -> str:
    """Which ops are under way, but not for how long: every change is read out."""
    planned = {*run.plan.get("order", ()), *run.plan.get("merged", ())}
    planned = planned or {row.op for row in rows}
    ended = sum(row.status in OP_ENDED for row in rows)
    spent = dollars(sum(row.cost_nano for row in rows))
    far = f"{run.status}: {ended} of {len(planned)} ops have ended, {spent}"
    if run.status in ENDED:
        return f"{far}. {run.error}" if run.error else far
    going = [row.op for row in rows if row.status == "running"]
    return f"{far}, under way: {', '.join(going)}" if going else far


def how_told(run: WorkflowRun) -> str:
    """Whether the run's webhook has heard of its end, and what was in the way."""
    tries = run.webhook_tries
    parts = [f"{run.webhook}: {run.get_webhook_state_display()}"]
    if tries:
        parts.append(f"{tries} {'try' if tries == 1 else 'tries'}")
    if run.webhook_problem:
        parts.append(f"the last: {run.webhook_problem.rstrip('.')}")
    if tries and run.webhook_due:
        parts.append(f"the next at {run.webhook_due:%Y-%m-%d %H:%M:%S} UTC")
    return ", ".join(parts)


def where(row: OpRun) -> str:
    return f"tier {row.tier}, {row.backend}" if row.backend else row.status


def took(row: OpRun) -> str:
    if row.started_s is None or row.ended_s is None:
        return ""
    seconds = duration(row.ended_s - row.started_s)
    return f"{seconds} so far" if row.status == "running" else seconds


def spent(row: OpRun) -> str:
    """Money and time, of an op that was begun."""
    if row.status == "running":
        return took(row)
    return f"{dollars(row.cost_nano)}, {took(row)}" if took(row) else ""


def in_order(parents: dict[str, tuple[str, ...]]) -> list[str]:
    """The ops, each after its inputs."""
    done: list[str] = []
    left = list(parents)
    while left:
        ready = [n for n in left if all(p in done for p in parents[n])] or left
        done += ready
        left = [name for name in left if name not in ready]
    return done


def links_of(rows: Any) -> dict[str, dict[str, str]]:
    """For each op its requests with the addresses of their stories."""
    asked = {row.op: [str(each) for each in row.request_ids or ()] for row in rows}
    every = [request_id for found in asked.values() for request_id in found]
    logs = RequestLog.objects.filter(request_id__in=every)
    ids = dict(logs.values_list("request_id", "pk"))

    def address(request_id: str) -> str:
        return reverse("admin:gateway_requestlog_change", args=(ids[request_id],))

    return {
        op: {each: address(each) for each in found if each in ids}
        for op, found in asked.items()
    }


def row_of(row: OpRun, links: dict[str, str]) -> list[object]:
    return [
        row.op,
        row.status,
        row.tier or "-",
        row.backend or "-",
        row.cache or "-",
        row.calls,
        f"{row.prompt_tokens:,} / {row.cached_tokens:,} / {row.completion_tokens:,}",
        dollars(row.cost_nano),
        took(row),
        format_html_join(
            " ",
            '<a class="underline" href="{}">{}</a>',
            ((url, shortened(request_id)) for request_id, url in links.items()),
        ),
        row.reason,
    ]


def summary_of(first: WorkflowRun, second: WorkflowRun) -> list[list[object]]:
    lines = (
        ("Workflow", lambda run: f"{run.workflow} {run.version or ''}"),
        ("Status", lambda run: run.status),
        ("Cost", lambda run: dollars(run.cost_nano)),
        ("Time", lambda run: duration(run.total_ms / 1000)),
        ("Final output", lambda run: str(run.final_output or "")[:2000]),
    )
    return [[label, value(first), value(second)] for label, value in lines]


def compared(first: WorkflowRun, second: WorkflowRun) -> list[list[object]]:
    ones = {row.op: row for row in first.ops.all()}
    others = {row.op: row for row in second.ops.all()}

    def facts(row: OpRun | None) -> object:
        if row is None:
            return "-"
        return format_html("{}, {}, {}", row.status, where(row), spent(row) or "-")

    def output(row: OpRun | None) -> str:
        return str(row.output or "")[:500] if row else ""

    return [
        [
            name,
            facts(ones.get(name)),
            facts(others.get(name)),
            output(ones.get(name)),
            output(others.get(name)),
        ]
        for name in dict.fromkeys((*ones, *others))
    ]
