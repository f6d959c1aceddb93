"""Runs and their ops: read, drawn, compared, cancelled, done again."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import display

from gateway.admin.filters import CostFilter, WhenFilter
from gateway.admin.paging import KeysetPaginator, UncountedChangeList
from routing.counting import counted
from routing.money_format import dollars
from routing.read_only_admin import ReadOnlyAdmin
from workflows_app import lease
from workflows_app.admin.run_page import (
    COMPARED,
    compared,
    how_told,
    pictures,
    summary_of,
    took,
)
from workflows_app.drawing import duration
from workflows_app.models import OpRun, WorkflowRun
from workflows_app.run import ENDED

STATES = {
    "succeeded": "success",
    "merged": "success",
    "running": "info",
    "failed": "danger",
    "cancelled": "warning",
}


RESUME = ("resume", "Resume where it failed")
AGAIN = ("again", "Run again from the start")
CANCEL = ("cancel", "Cancel")
CAN_DO = {  # by a run's state: an action and what its button says
    "queued": (CANCEL,),
    "running": (CANCEL,),
    "succeeded": (AGAIN,),
    "failed": (RESUME, AGAIN),
    "cancelled": (RESUME, AGAIN),
}


class CreatedFilter(WhenFilter):
    moment = "created_at"


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
        "created_at",
        "workflow",
        "version",
        "state",
        "mode",
        "key_name",
        "cost",
        "took",
    )
    list_filter = (CreatedFilter, "status", "mode", "workflow", CostFilter)
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
        "took",
        "owner",
        "batch",
        "told",
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
        return format_html('<pre class="dash-text">{}</pre>', run.text)

    @admin.display(description="Webhook")
    def told(self, run: WorkflowRun) -> str:
        return how_told(run) if run.webhook else "-"

    @admin.display(description="Time")
    def took(self, run: WorkflowRun) -> str:
        if run.status == "running" and run.started_at:
            now = timezone.now() - run.started_at
            return f"{duration(now.total_seconds())} so far"
        return duration(run.total_ms / 1000)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        run = self.get_object(request, object_id)
        shown = pictures(run, timezone.now()) if run else {}
        if run and self.has_operate_permission(request):
            shown["actions_of_run"] = CAN_DO[run.status]
            if run.status in ENDED:
                shown["again_from"] = run.ops.exclude(status="pruned")
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), **shown}
        )

    @admin.action(
        description="Cancel: stop these runs and their calls", permissions=["operate"]
    )
    def cancel(
        self, request: HttpRequest, runs: QuerySet[WorkflowRun]
    ) -> HttpResponse | None:
        done = sum(lease.ask_to_cancel(run.run_id, None) for run in runs)
        told = counted(done, "run ends", "runs end")
        tell(request, told, len(runs) - done, "had ended")
        return back_to_run(request)

    @admin.action(
        description="Resume: go on where these runs failed", permissions=["operate"]
    )
    def resume(
        self, request: HttpRequest, runs: QuerySet[WorkflowRun]
    ) -> HttpResponse | None:
        broken_off = [run for run in runs if RESUME in CAN_DO[run.status]]
        done = sum(lease.queue_again(run, set()) for run in broken_off)
        told = counted(done, "run goes on", "runs go on")
        tell(request, told, len(runs) - done, "had nothing to resume")
        return back_to_run(request)

    @admin.action(description="Run again from the start", permissions=["operate"])
    def again(
        self, request: HttpRequest, runs: QuerySet[WorkflowRun]
    ) -> HttpResponse | None:
        done = sum(lease.queue_again(run, None) for run in runs)
        told = counted(done, "run starts", "runs start")
        tell(request, told, len(runs) - done, "had not ended")
        return back_to_run(request)

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


def tell(request: HttpRequest, told: str, left: int, why: str) -> None:
    """What becomes of the chosen runs, and how many were left as they are."""
    level = messages.WARNING if left else messages.INFO
    others = f" {left} {why}." if left else ""
    messages.add_message(request, level, f"{told} within a second.{others}")


def back_to_run(request: HttpRequest) -> HttpResponse | None:
    """Who acted on the page of a run goes on there."""
    run = request.POST.get("from_run", "")
    if not run.isdigit():
        return None
    url = reverse("admin:workflows_app_workflowrun_change", args=(run,))
    return HttpResponseRedirect(url)


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
    fields = (
        "op",
        "run",
        "status",
        "reason",
        "tier",
        "backend",
        "cache",
        "calls",
        "prompt_tokens",
        "cached_tokens",
        "completion_tokens",
        "cost",
        "took",
        "request_ids",
        "output",
        "items",
    )

    @display(description="Status", label=STATES)
    def state(self, op: OpRun) -> str:
        return op.status

    @admin.display(description="Cost")
    def cost(self, op: OpRun) -> str:
        return dollars(op.cost_nano)

    @admin.display(description="Time")
    def took(self, op: OpRun) -> str:
        return took(op) or "-"

    @admin.action(description="Run again from these ops on", permissions=["operate"])
    def from_here(
        self, request: HttpRequest, ops: QuerySet[OpRun]
    ) -> HttpResponse | None:
        by_run: dict[int, set[str]] = {}
        for op in ops:
            by_run.setdefault(op.run_id, set()).add(op.op)
        runs = WorkflowRun.objects.in_bulk(by_run)
        count = sum(lease.queue_again(runs[pk], by_run[pk]) for pk in by_run)
        self.message_user(
            request, f"{counted(count, 'run goes', 'runs go')} on within a second."
        )
        return back_to_run(request)
