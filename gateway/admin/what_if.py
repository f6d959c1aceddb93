"""Preview: what a form that is not saved yet would have done with past requests.

The form is saved and the configuration read in one transaction, which is then taken
back. With JavaScript the page asks for JSON lines, a line for each part of the way:

    {"done": 2000, "total": 100000} ...  then  {"html": "..."}
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from asgiref.sync import sync_to_async
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.views import redirect_to_login
from django.db import models, transaction
from django.forms import all_valid
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from gateway.admin.what_if_shown import shown
from gateway.models import RequestLog
from gateway.runtime.checks import InvalidConfiguration
from gateway.runtime.database import in_database
from gateway.runtime.snapshot import build
from gateway.whatif.comparison import Comparison
from gateway.whatif.rows import after, before, since
from routing.backend_admin import BackendAdmin
from routing.catalog import Catalog
from routing.models import Backend, Price, RoutingPolicy, Tier

MODELS: dict[str, type[models.Model]] = {
    "backend": Backend,
    "price": Price,
    "routingpolicy": RoutingPolicy,
    "tier": Tier,
}
LINES = "application/x-ndjson"
DEFAULT_DAYS, MOST_DAYS = 7, 90
RESULT = "admin/what_if_result.html"


class Refused(Exception):
    """The form can't be previewed; its arguments are the reasons."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is compared on which requests."""

    comparison: Comparison
    rows: "models.QuerySet[RequestLog]"
    before: int
    total: int
    days: int


@sensitive_post_parameters("new_api_key")
@require_POST
async def what_if(
    request: HttpRequest, model: str, object_id: str = ""
) -> HttpResponseBase:
    """POST of the change form, or without `object_id` of the form for a new row."""
    try:
        draft = await sync_to_async(read)(request, model, object_id)
    except Refused as refused:
        return await answer(request, {"problems": refused.args})
    if isinstance(draft, HttpResponse):
        return draft
    if wants_lines(request):
        response = StreamingHttpResponse(lines(draft), content_type=LINES)
        response["cache-control"], response["x-accel-buffering"] = "no-cache", "no"
        return response
    async for _ in compare(draft):
        pass
    return await answer(request, shown(draft.comparison, draft.days))


def read(request: HttpRequest, model: str, object_id: str) -> Draft | HttpResponse:
    """The form as two configurations and the requests of the asked days."""
    if not admin.site.has_permission(request):
        return redirect_to_login(request.get_full_path(), "admin:login")
    page = admin.site.get_model_admin(MODELS[model])
    row = page.get_object(request, unquote(object_id)) if object_id else None
    if object_id and row is None:
        return HttpResponse("There is no such row.", status=404)
    allowed = (
        page.has_change_permission(request, row)
        if row
        else page.has_add_permission(request)
    )
    if not allowed:
        return HttpResponse("You may not change this.", status=403)
    saved, preview = configurations(request, page, row)
    days, now = days_of(request), timezone.now()
    rows = since(now, days)
    comparison = Comparison(saved, preview)
    return Draft(comparison, rows, before(now, days), rows.count(), days)


def configurations(
    request: HttpRequest, page: Any, row: models.Model | None
) -> tuple[Catalog, Catalog]:
    """What serves, and what would by this form; nothing is saved. Raises Refused."""
    try:
        with transaction.atomic():
            try:
                at = save(request, page, row)
                preview = build(at).catalog
            finally:
                transaction.set_rollback(True)
        # Not before that: other writers wait for the end of a transaction.
        return build(at).catalog, preview
    except InvalidConfiguration as error:
        raise Refused(str(error)) from error


def save(request: HttpRequest, page: Any, row: models.Model | None) -> datetime:
    """As the admin does, without its messages and its log; from when on it all holds.
    A price may be one of the future."""
    change = row is not None
    form = page.get_form(request, row, change=change)(
        request.POST, request.FILES, instance=row
    )
    valid = form.is_valid()
    unsaved = form.save(commit=False) if valid else form.instance
    formsets, _ = page._create_formsets(request, unsaved, change=change)
    if not all_valid(formsets) or not valid:
        raise Refused(*problems(form, formsets))
    unsaved.save()
    form.save_m2m()
    new: list[models.Model] = [unsaved]
    for formset in formsets:
        new += formset.save()
    if isinstance(page, BackendAdmin):
        page.take_known_prices(form, change=change)
    moments = [each.effective_from for each in new if isinstance(each, Price)]
    return max([timezone.now(), *moments])


def problems(form: Any, formsets: list[Any]) -> list[str]:
    forms = [form, *(each for formset in formsets for each in formset.forms)]
    return [
        f"{each.fields[name].label or name}: {text}" if name in each.fields else text
        for each in forms
        for name, texts in each.errors.items()
        for text in texts
    ]


def days_of(request: HttpRequest) -> int:
    asked = request.POST.get("what_if_days", "")
    days = int(asked) if asked.isascii() and asked.isdigit() else DEFAULT_DAYS
    return min(max(days, 1), MOST_DAYS)


async def compare(draft: Draft) -> AsyncIterator[int]:
    """The rows done so far, after each portion: other requests get their turn."""
    last: int | None = draft.before
    while last is not None:
        last = await in_database(step, draft, last)
        yield draft.comparison.rows


def step(draft: Draft, last: int) -> int | None:
    """Compare the next portion; None when there is none."""
    found = after(draft.rows, last)
    draft.comparison.add(found)
    return found[-1].pk if found else None


async def lines(draft: Draft) -> AsyncIterator[bytes]:
    async for done in compare(draft):
        yield line({"done": min(done, draft.total), "total": draft.total})
    result = shown(draft.comparison, draft.days)
    yield line({"html": await sync_to_async(render_to_string)(RESULT, result)})


def line(told: dict[str, Any]) -> bytes:
    return orjson.dumps(told) + b"\n"


def wants_lines(request: HttpRequest) -> bool:
    return LINES in request.headers.get("accept", "")


async def answer(request: HttpRequest, result: dict[str, Any]) -> HttpResponse:
    return await sync_to_async(page_or_line)(request, result)


def page_or_line(request: HttpRequest, result: dict[str, Any]) -> HttpResponse:
    if wants_lines(request):
        html = render_to_string(RESULT, result)
        return HttpResponse(line({"html": html}), content_type=LINES)
    context = {**admin.site.each_context(request), "title": "Preview", **result}
    return TemplateResponse(request, "admin/what_if_page.html", context).render()
