"""Stored workflows: edited as YAML, drawn, checked while typing, started."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    QueryDict,
)
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from gateway.errors import GatewayError
from gateway.ledger.books import LOCAL_SCOPE, Caller
from gateway.runtime import snapshot as snapshots
from gateway.runtime.checks import InvalidConfiguration
from routing.history_admin import HistoryAdmin
from routing.pricing import NANO_PER_USD, nano_to_usd
from routing.read_only_admin import ReadOnlyAdmin
from workflows_app import drawing, optimizer, prompt, reader, store
from workflows_app.definition import Definition
from workflows_app.drawing import Node
from workflows_app.errors import InvalidWorkflow
from workflows_app.estimates import Facts, Latencies
from workflows_app.models import Workflow, WorkflowVersion
from workflows_app.optimizer import Plan
from workflows_app.prompt import Inputs
from workflows_app.run import Options, Run

CALLER = Caller(scope=LOCAL_SCOPE, key_name="admin")
TABLE = "admin/workflows_app/workflow/ops.html"
OP_HEADERS = ("Op", "After", "Goes to", "Settings")


class WorkflowForm(forms.ModelForm):
    class Meta:
        model = Workflow
        fields = ("name", "description", "text", "enabled")
        widgets: ClassVar = {
            "text": UnfoldAdminTextareaWidget(
                attrs={"rows": 28, "spellcheck": "false", "wrap": "off"}
            )
        }

    class Media:
        js = ("workflows_app/editor.js",)
        css: ClassVar = {"all": ("workflows_app/editor.css",)}


class VersionInline(TabularInline):
    model = WorkflowVersion
    fields = readonly_fields = ("version", "created_at", "text")
    extra = 0
    can_delete = False
    tab = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class RunForm(forms.Form):
    """A field for the input, and one for each input that the workflow names."""

    input = forms.CharField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 6}), required=False
    )
    max_cost_usd = forms.FloatField(
        label="At most so many dollars",
        min_value=0,
        max_value=1_000_000,  # as in the API
        required=False,
        widget=UnfoldAdminTextInputWidget,
    )

    def __init__(self, named: Iterable[str], data: QueryDict | None) -> None:
        super().__init__(data)
        self.named = {name: f"input_{name}" for name in named}
        for name, field in self.named.items():
            self.fields[field] = forms.CharField(
                label=name, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
            )
        self.order_fields(["input", *self.named.values()])

    @property
    def inputs(self) -> Inputs:
        given = self.cleaned_data
        named = {name: given[field] for name, field in self.named.items()}
        return prompt.read_inputs(given["input"], named or None)


@admin.register(Workflow)
class WorkflowAdmin(HistoryAdmin):
    form = WorkflowForm
    change_form_template = "admin/workflows_app/workflow/change_form.html"
    list_display = ("name", "description", "version", "enabled", "updated_at")
    list_editable = ("enabled",)
    search_fields = ("name", "description")
    warn_unsaved_form = True
    inlines: ClassVar = [VersionInline]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("check/", view(self.check_text), name="workflows_app_workflow_check"),
            path(
                "<path:object_id>/run/",
                view(self.run_view),
                name="workflows_app_workflow_run",
            ),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        shown = drawn(row.text) if row else {}
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), **shown}
        )

    def check_text(self, request: HttpRequest) -> HttpResponse:
        """What the editor asks while somebody types."""
        shown = drawn(request.POST.get("text", ""))
        table = render_to_string(TABLE, shown, request) if "ops" in shown else None
        answer = {name: shown.get(name) for name in ("problem", "picture")}
        return JsonResponse({**answer, "table": table})

    def run_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Inputs first, then what it will cost, then the run."""
        row = self.get_object(request, object_id)
        if row is None or not self.has_change_permission(request, row):
            return HttpResponseRedirect("../../")
        try:
            names = prompt.names_of(row.definition)
        except InvalidWorkflow:
            return HttpResponseRedirect("../change/")  # which tells what is wrong
        form = RunForm(names, request.POST or None)
        plan = None
        if request.method == "POST" and form.is_valid():
            try:
                run = make_run(row, form.inputs, form.cleaned_data["max_cost_usd"])
                plan = run.plan
                if "start" in request.POST:
                    store.create(run, "")
                    messages.success(request, f"{run.run_id} starts within a second.")
                    at = "admin:workflows_app_workflowrun_change"
                    return HttpResponseRedirect(reverse(at, args=(run.row_id,)))
            except (GatewayError, InvalidConfiguration) as error:
                form.add_error(None, str(error))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Run {row.name}",
            "opts": self.opts,
            "original": row,
            "form": form,
            "plan": plan and plan_lines(plan),
        }
        return TemplateResponse(
            request, "admin/workflows_app/workflow/run.html", context
        )


def drawn(text: str) -> dict[str, Any]:
    """The picture of a text with its table, or what is wrong with it."""
    try:
        definition = reader.read(text)
    except InvalidWorkflow as error:
        return {"problem": error.message}
    rows = [
        [name, ", ".join(definition.parents[name]) or "-", op.target, settings_of(op)]
        for name in definition.order
        for op in [definition.ops[name]]
    ]
    return {
        "picture": picture(definition),
        "ops": {"headers": OP_HEADERS, "rows": rows},
    }


def picture(definition: Definition) -> SafeString:
    pruned = set(definition.order) - optimizer.alive(definition)
    return drawing.graph(
        Node(
            name,
            definition.parents[name],
            note=definition.ops[name].target,
            detail=settings_of(definition.ops[name]).strip("-"),
            state="pruned" if name in pruned else "",
        )
        for name in definition.order
    )


def settings_of(op: Any) -> str:
    """What an op says besides its texts and edges."""
    names = ("max_tokens", "temperature", "when_text", "on_error", "cache", "samples")
    usual = {"on_error": "fail", "cache": "auto", "samples": 1}
    found = {name: getattr(op, name) for name in names}
    found["map"] = op.map and op.map.over
    shown = {n: v for n, v in found.items() if v not in (None, "", usual.get(n))}
    return ", ".join(f"{n.removesuffix('_text')}: {v}" for n, v in shown.items()) or "-"


def make_run(row: Workflow, inputs: Inputs, limit: float | None) -> Run:
    """A run with its plan, by the configuration as it is stored now."""
    definition = row.definition
    prompt.check_inputs(definition, inputs)
    options = Options(
        mode="background",
        max_cost_nano=None if limit is None else int(limit * NANO_PER_USD),
    )
    run = Run(definition, inputs, CALLER, options, plan_of(definition, inputs))
    run.workflow = (row.name, row.version)
    return run


def plan_of(definition: Definition, inputs: Inputs) -> Plan:
    from workflows_app.caller import route_of

    facts = Facts(snapshots.build(timezone.now()).catalog, Latencies(), inputs)
    for op in definition.ops.values():
        route_of(op, facts)
    return optimizer.plan(definition, facts, deadline_s=definition.deadline_s)


def plan_lines(plan: Plan) -> list[tuple[str, str]]:
    low, expected, high = (f"${nano_to_usd(nano):.6f}" for nano in plan.cost_nano)
    return [
        ("Cost", f"{low} at least, {expected} expected, {high} at most"),
        ("Time", f"about {plan.makespan_s:.1f} s"),
        ("Critical path", " → ".join(plan.critical_path)),
        ("Left out", ", ".join(plan.pruned) or "nothing"),
        ("Done once", ", ".join(f"{a} = {b}" for a, b in plan.merged.items()) or "-"),
    ]


@admin.register(WorkflowVersion)
class WorkflowVersionAdmin(ReadOnlyAdmin):
    list_display = ("workflow", "version", "created_at")
    list_filter = ("workflow",)
    list_select_related = ("workflow",)
