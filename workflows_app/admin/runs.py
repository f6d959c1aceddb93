"""Runs and their ops: read, drawn, compared, cancelled, done again."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from unfold.decorators import display

from gateway.admin.paging import KeysetPaginator, UncountedChangeList
from gateway.errors import GatewayError
from gateway.models import RequestLog
from routing.money_format import dollars
from routing.read_only_admin import ReadOnlyAdmin
from workflows_app import drawing, lease, reader
from workflows_app.drawing import Bar, Node
from workflows_app.models import OpRun, WorkflowRun

STATES = {
    "succeeded": "success",
    "merged": "success",
    "running": "info",
    "failed": "danger",
    "cancelled": "warning",
}
OP_HEADERS = (
    "Op",
    "State",
    "Tier",
    "Backend",
    "Cache",
    "Calls",
    "Tokens in / cached / out",
    "Cost",
    "Seconds",
    "Requests",
    "Why",
)
COMPARED = ("Op", "First", "Second", "First's output", "Second's output")


class CostFilter(admin.SimpleListFilter):
    title = "cost"
    parameter_name = "cost"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin
    ) -> list[tuple[str, str]]:
        return [(text, f"${text} or more") for text in ("0.001", "0.01", "0.1", "1")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        chosen = dict(self.lookup_choices).get(str(self.value()))
        if chosen is None:
            return queryset
        return queryset.filter(cost_nano__gte=int(float(str(self.value())) * 1e9))


@admin.register(WorkflowRun)
class WorkflowRunAdmin(ReadOnlyAdmin):
    change_form_template = "admin/workflows_app/workflowrun/change_form.html"
    paginator = KeysetPaginator
    show_full_result_count = False
    sortable_by = ()
    ordering = ("-id",)
    list_per_page = 50
    list_display = (
        "run_id",
        "workflow",
        "version",
        "state",
        "mode",
        "key_name",
        "cost",
        "seconds",
        "created_at",
    )
    list_filter = ("status", "mode", "workflow", CostFilter, "created_at")
    search_fields = ("run_id__exact", "workflow__exact")
    search_help_text = "A whole run id, or a workflow's name"
    actions = ("cancel", "resume", "again", "compare")
    fields = (
        "run_id",
        "workflow",
        "version",
        "status",
        "error",
        "mode",
        "scope",
        "key_name",
        "created_at",
        "finished_at",
        "cost",
        "seconds",
        "owner",
        "inputs",
        "final_output",
        "plan",
        "definition",
    )

    def get_changelist(
        self, request: HttpRequest, **kwargs: object
    ) -> type[UncountedChangeList]:
        return UncountedChangeList

    @display(description="Status", label=STATES)
    def state(self, run: WorkflowRun) -> str:
        return run.status

    @admin.display(description="Cost")
    def cost(self, run: WorkflowRun) -> str:
        return dollars(run.cost_nano)

    @admin.display(description="The definition it ran")
    def definition(self, run: WorkflowRun) -> str:
        return format_html('<pre class="whitespace-pre-wrap">{}</pre>', run.text)

    @admin.display(description="Seconds")
    def seconds(self, run: WorkflowRun) -> str:
        return f"{run.total_ms / 1000:,.2f}"

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        run = self.get_object(request, object_id)
        shown = pictures(run) if run else {}
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), **shown}
        )

    @admin.action(
        description="Cancel: stop these runs and their calls", permissions=["operate"]
    )
    def cancel(self, request: HttpRequest, runs: QuerySet[WorkflowRun]) -> None:
        count = sum(lease.ask_to_cancel(run.run_id, None) for run in runs)
        self.message_user(request, f"{count} run(s) end within a second.")

    @admin.action(
        description="Resume: go on where these runs failed", permissions=["operate"]
    )
    def resume(self, request: HttpRequest, runs: QuerySet[WorkflowRun]) -> None:
        count = sum(lease.queue_again(run, set()) for run in runs)
        self.message_user(request, f"{count} run(s) go on within a second.")

    @admin.action(description="Run again from the start", permissions=["operate"])
    def again(self, request: HttpRequest, runs: QuerySet[WorkflowRun]) -> None:
        count = sum(lease.queue_again(run, None) for run in runs)
        self.message_user(request, f"{count} run(s) start within a second.")

    @admin.action(description="Compare two runs")
    def compare(
        self, request: HttpRequest, runs: QuerySet[WorkflowRun]
    ) -> HttpResponse | None:
        chosen = list(runs.order_by("id")[:3])
        if len(chosen) != 2:
            self.message_user(request, "Choose two runs.", messages.WARNING)
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": "Two runs",
            "opts": self.opts,
            "summary": {"headers": ("", *chosen), "rows": summary_of(*chosen)},
            "ops": {"headers": COMPARED, "rows": compared(*chosen)},
        }
        template = "admin/workflows_app/workflowrun/compare.html"
        return TemplateResponse(request, template, context)


def pictures(run: WorkflowRun) -> dict[str, Any]:
    """The graph and the time axis of a run, and both as a table."""
    rows = {row.op: row for row in run.ops.all()}
    path = set(run.plan.get("critical_path", ())) if isinstance(run.plan, dict) else ()
    try:
        parents = reader.read(run.text).parents
    except GatewayError:
        parents = {name: () for name in rows}
    links = links_of(rows.values())
    nodes = [
        Node(
            name,
            parents[name],
            note=f"{row.backend} {dollars(row.cost_nano)}" if row else "",
            state=row.status if row else "",
            href=next(iter(links[name].values()), "") if row else "",
            critical=name in path,
        )
        for name in in_order(parents)
        for row in [rows.get(name)]
    ]
    bars = [
        Bar(
            row.op,
            row.started_s,
            row.ended_s,
            row.status,
            f"{row.ended_s - row.started_s:.2f} s",
            row.op in path,
        )
        for row in rows.values()
        if row.started_s is not None and row.ended_s is not None
    ]
    table = [row_of(row, links[row.op]) for row in rows.values()]
    return {
        "picture": drawing.graph(nodes),
        "timeline": drawing.gantt(bars),
        "ops": {"headers": OP_HEADERS, "rows": table},
    }


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
    took = ""
    if row.started_s is not None and row.ended_s is not None:
        took = f"{row.ended_s - row.started_s:.2f}"
    return [
        row.op,
        row.status,
        row.tier or "-",
        row.backend or "-",
        row.cache or "-",
        row.calls,
        f"{row.prompt_tokens:,} / {row.cached_tokens:,} / {row.completion_tokens:,}",
        dollars(row.cost_nano),
        took,
        format_html_join(
            " ",
            '<a class="underline" href="{}">{}</a>',
            ((url, request_id[:12]) for request_id, url in links.items()),
        ),
        row.reason,
    ]


def summary_of(first: WorkflowRun, second: WorkflowRun) -> list[list[object]]:
    lines = (
        ("Workflow", lambda run: f"{run.workflow} {run.version or ''}"),
        ("Status", lambda run: run.status),
        ("Cost", lambda run: dollars(run.cost_nano)),
        ("Seconds", lambda run: f"{run.total_ms / 1000:.2f}"),
        ("Final output", lambda run: str(run.final_output or "")[:2000]),
    )
    return [[label, value(first), value(second)] for label, value in lines]


def compared(first: WorkflowRun, second: WorkflowRun) -> list[list[object]]:
    ones = {row.op: row for row in first.ops.all()}
    others = {row.op: row for row in second.ops.all()}

    def facts(row: OpRun | None) -> object:
        if row is None:
            return "-"
        return format_html(
            "{}, {}, {}", row.status, row.backend or "-", dollars(row.cost_nano)
        )

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


@admin.register(OpRun)
class OpRunAdmin(ReadOnlyAdmin):
    list_display = ("op", "run", "state", "tier", "backend", "cache", "calls", "cost")
    list_filter = ("status",)
    list_select_related = ("run",)
    search_fields = ("run__run_id__exact", "op__exact")
    search_help_text = "A whole run id, or an op's name"
    show_full_result_count = False
    ordering = ("-id",)
    actions = ("from_here",)

    @display(description="Status", label=STATES)
    def state(self, op: OpRun) -> str:
        return op.status

    @admin.display(description="Cost")
    def cost(self, op: OpRun) -> str:
        return dollars(op.cost_nano)

    @admin.action(description="Run again from these ops on", permissions=["operate"])
    def from_here(self, request: HttpRequest, ops: QuerySet[OpRun]) -> None:
        by_run: dict[int, set[str]] = {}
        for op in ops:
            by_run.setdefault(op.run_id, set()).add(op.op)
        runs = WorkflowRun.objects.in_bulk(by_run)
        count = sum(lease.queue_again(runs[pk], by_run[pk]) for pk in by_run)
        self.message_user(request, f"{count} run(s) go on within a second.")
