"""Stored workflows: edited as YAML, drawn, checked while typing, started."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from gateway.errors import GatewayError
from gateway.ledger.books import LOCAL_SCOPE, Caller
from gateway.runtime import snapshot as snapshots
from gateway.runtime.snapshot import InvalidConfiguration
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
OP_HEADERS = ("Op", "After", "Goes to", "Settings")


class WorkflowForm(forms.ModelForm):
    class Meta:
        model = Workflow
        fields = ("name", "description", "text", "enabled")
        widgets: ClassVar = {
            "text": UnfoldAdminTextareaWidget(
                attrs={"rows": 28, "spellcheck": "false", "class": "font-mono"}
            )
        }

    class Media:
        js = ("workflows_app/editor.js",)


class VersionInline(TabularInline):
    model = WorkflowVersion
    fields = readonly_fields = ("version", "created_at", "text")
    extra = 0
    can_delete = False
    tab = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class NamedInputs(forms.JSONField):
    def prepare_value(self, value: Any) -> Any:
        return "" if value is None else super().prepare_value(value)


class RunForm(forms.Form):
    input = forms.CharField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 6}), required=False
    )
    inputs = NamedInputs(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        required=False,
        help_text='Named inputs as JSON, such as {"topic": "ants"}.',
    )
    max_cost_usd = forms.FloatField(
        label="At most so many dollars",
        min_value=0,
        required=False,
        widget=UnfoldAdminTextInputWidget,
    )


@admin.register(Workflow)
class WorkflowAdmin(ModelAdmin):
    form = WorkflowForm
    change_form_template = "admin/workflows_app/workflow/change_form.html"
    list_display = ("name", "description", "version", "enabled", "updated_at")
    list_editable = ("enabled",)
    search_fields = ("name", "description")
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
        return JsonResponse({name: shown.get(name) for name in ("problem", "picture")})

    def run_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Inputs first, then what it will cost, then the run."""
        row = self.get_object(request, object_id)
        if row is None or not self.has_change_permission(request, row):
            return HttpResponseRedirect("../../")
        form = RunForm(request.POST or None)
        plan = None
        if request.method == "POST" and form.is_valid():
            try:
                run = make_run(row, form.cleaned_data)
                plan = run.plan
                if "start" in request.POST:
                    store.create(run, "")
                    messages.success(request, f"{run.run_id} starts within a second.")
                    url = reverse("admin:workflows_app_workflowrun_changelist")
                    return HttpResponseRedirect(url)
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


def make_run(row: Workflow, values: dict[str, Any]) -> Run:
    """A run with its plan, by the configuration as it is stored now."""
    definition = row.definition
    inputs = prompt.read_inputs(values["input"], values["inputs"] or None)
    prompt.check_inputs(definition, inputs)
    limit = values["max_cost_usd"]
    options = Options(
        mode="background", max_cost_nano=None if limit is None else int(limit * 1e9)
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
    low, expected, high = (f"${nano / 1e9:.6f}" for nano in plan.cost_nano)
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
