"""The whole configuration: taken out, brought in, and put back to an earlier moment.

Each change is shown as the same difference before it is made.
"""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from gateway import configuration
from gateway.configuration import ConfigurationError, Restoration
from routing import history
from routing.models import Backend, Price, RoutingPolicy

MOMENTS = 50
MAX_CHARS = 1 << 20


def tracked() -> tuple[Any, ...]:
    return (*configuration.tracked(), Price)


def may_change(request: HttpRequest) -> bool:
    return request.user.has_perms(
        [named(model, what) for model in tracked() for what in ("add", "change")]
    )


def named(model: Any, what: str) -> str:
    return f"{model._meta.app_label}.{what}_{model._meta.model_name}"


@require_http_methods(["GET", "POST"])
def configuration_page(request: HttpRequest) -> HttpResponse:
    """The page; a POST compares or imports the text that is in it."""
    if not request.user.has_perm("routing.view_routingpolicy"):
        raise PermissionDenied
    context: dict[str, Any] = {}
    if request.method == "POST":
        if not may_change(request):
            raise PermissionDenied
        if "restore" in request.POST:
            context = restoring(request)
        else:
            context = importing(request)
        if context.get("done"):
            return HttpResponseRedirect(reverse("configuration"))
    context |= {
        **admin.site.each_context(request),
        "title": "Configuration",
        "moments": moments(request),
        "may_change": may_change(request),
    }
    return TemplateResponse(request, "admin/configuration.html", context)


@require_GET
def export_configuration(request: HttpRequest) -> HttpResponse:
    """config.yaml as a download; it holds no secret."""
    if not request.user.has_perm("routing.view_routingpolicy"):
        raise PermissionDenied
    note(request, "Exported the configuration.")
    response = HttpResponse(
        configuration.dump(timezone.now()), content_type="application/yaml"
    )
    response["Content-Disposition"] = 'attachment; filename="config.yaml"'
    return response


def importing(request: HttpRequest) -> dict[str, Any]:
    text = request.POST.get("text", "")[:MAX_CHARS]
    if upload := request.FILES.get("file"):
        text = upload.read(MAX_CHARS).decode("utf-8", "replace")
    shown: dict[str, Any] = {"text": text}
    apply = "apply" in request.POST
    try:
        config = configuration.read_bytes(text.encode(), "the text", os.environ)
        with transaction.atomic():
            plan = configuration.plan(config, timezone.now())
            shown["lines"] = list(configuration.describe(plan))
            configuration.apply(plan)
            # Written and taken back: a look meets every rule of the database.
            transaction.set_rollback(not apply)
    except ConfigurationError as error:
        return shown | {"problems": error.messages}
    if apply:
        return done(request, "Imported a configuration.", shown["lines"])
    return shown | {"empty": plan.is_empty}


def restoring(request: HttpRequest) -> dict[str, Any]:
    moment = moment_of(request.POST.get("restore", ""))
    if moment is None:
        return {"problems": ["That is no moment."]}
    shown: dict[str, Any] = {"moment": request.POST["restore"]}
    apply = "apply" in request.POST
    try:
        with transaction.atomic():
            wanted: Restoration = configuration.plan_restore(moment, timezone.now())
            shown["lines"] = list(wanted.describe())
            configuration.apply_restore(wanted, moment)
            transaction.set_rollback(not apply)
    except ConfigurationError as error:
        return shown | {"problems": error.messages}
    if apply:
        text = f"Restored the configuration of {moment:%Y-%m-%d %H:%M:%S} UTC."
        return done(request, text, shown["lines"])
    return shown | {"empty": wanted.is_empty}


def done(request: HttpRequest, text: str, lines: list[str]) -> dict[str, Any]:
    note(request, "\n".join([text, *lines])[:10_000])
    messages.success(request, f"{text} Running workers see it within a second.")
    return {"done": True}


def note(request: HttpRequest, text: str) -> None:
    user_id = int(request.user.pk or 0)  # nobody comes here without logging in
    LogEntry.objects.log_actions(
        user_id, [RoutingPolicy.load()], CHANGE, text, single_object=True
    )


def moment_of(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.year < 2000:  # no clock was set, and some databases know no such day
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def moments(request: HttpRequest) -> list[dict[str, Any]]:
    """The latest changes of any row, each as a moment to go back to."""
    found: list[tuple[Any, Any]] = []
    seen = [m for m in tracked() if request.user.has_perm(named(m, "view"))]
    for model in seen:
        kept: Any = model.history
        rows = kept.select_related("history_user").order_by("-history_id")
        found += [(model, record) for record in rows[:MOMENTS]]
    found.sort(key=lambda pair: pair[1].history_date, reverse=True)
    return [moment_row(model, record) for model, record in found[:MOMENTS]]


def moment_row(model: Any, record: Any) -> dict[str, Any]:
    meta = model._meta
    older = history.records(model, record.id).filter(history_id__lt=record.history_id)
    version = history.version(record, older.first())
    # A moment is just before the change: that is what one wants back.
    before = record.history_date - timedelta(microseconds=1)
    return {
        "version": version,
        "what": f"{meta.verbose_name} {name_of(record)}",
        "url": reverse(
            f"admin:{meta.app_label}_{meta.model_name}_history", args=(record.id,)
        ),
        "before": before.isoformat(),
    }


def name_of(record: Any) -> str:
    for name in ("name", "pattern", "slug"):
        if value := getattr(record, name, ""):
            return str(value)
    if hasattr(record, "backend_id"):
        # It may be gone; what it was called is in its own history.
        named = Backend.history.filter(id=record.backend_id).order_by("-history_id")
        return f"of {named.values_list('name', flat=True).first() or 'a backend'}"
    return f"of {record.backend}" if hasattr(record, "backend") else ""
