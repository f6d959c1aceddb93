"""The cache browser: what this process would answer from memory, why a text would or
would not hit, and purges of a part of it.

It shows what is known about an answer, never its text nor that of its question.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from asgiref.sync import async_to_sync
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from gateway.admin.cache_facts import Entry, Looked, entries_of, look_up
from gateway.admin.lines_field import Lines
from gateway.asgi.context import runtime_of
from gateway.cache_rows import SCOPE_CHARS
from gateway.models import CacheEntry, CachePurge, StoredAnswer
from gateway.purging import delete_stored
from gateway.runtime.purges import withdrawals
from gateway.runtime.runtime import Runtime
from routing.read_only_admin import ReadOnlyAdmin

PAGE = 50
LONGEST_TEXT = 4000
LOOK_ID, PURGE_ID = "look_%s", "purge_%s"  # of one page's three forms
Result = TypeVar("Result")


class SearchForm(forms.Form):
    """Which entries are shown."""

    scope = forms.CharField(
        max_length=SCOPE_CHARS, required=False, widget=UnfoldAdminTextInputWidget
    )
    model = forms.CharField(
        label="Model or backend",
        max_length=200,
        required=False,
        widget=UnfoldAdminTextInputWidget,
    )


class PurgeForm(SearchForm):
    older_than_seconds = forms.IntegerField(
        min_value=0,
        max_value=2**31 - 1,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
    )


class LookForm(forms.Form):
    """A question as a client without further parameters asks it."""

    text = Lines(
        max_length=LONGEST_TEXT,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )
    scope = forms.CharField(max_length=SCOPE_CHARS, widget=UnfoldAdminTextInputWidget)
    model = forms.CharField(
        max_length=200, initial="auto", widget=UnfoldAdminTextInputWidget
    )


@dataclass(frozen=True, slots=True)
class Chosen:
    """Entries ticked in the list: a scope and the request that bought the answer."""

    scope: str
    request_id: str

    @classmethod
    def read(cls, value: str) -> "Chosen":
        request_id, _, scope = value.partition(" ")
        return cls(scope[:SCOPE_CHARS], request_id[:64])


@admin.register(CacheEntry)
class CacheBrowser(ReadOnlyAdmin):
    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        match request.POST.get("do"):
            case "look":
                return self._looked_up(request)
            case "choose":
                return self._confirm(request, chosen=chosen_of(request))
            case "purge":
                form = PurgeForm(request.POST, auto_id=PURGE_ID)
                if form.is_valid():
                    return self._confirm(request, form=form)
                return self._page(request, purge=form)
            case "confirmed":
                return self._purge(request)
        return self._page(request)

    def _page(self, request: HttpRequest, **forms_given: Any) -> HttpResponse:
        runtime = runtime_of(request)
        search = SearchForm(request.GET)
        wanted = search.cleaned_data if search.is_valid() else {}
        number = page_number(request)
        first = number * PAGE
        found: list[Entry] = []
        if runtime:
            found = on_loop(lambda: entries_of(runtime, **wanted))
        more = len(found) > first + PAGE
        context = {
            "entries": found[first : first + PAGE],
            "count": len(found),
            "first": first + 1,
            "earlier": page_link(request, number - 1) if number else "",
            "later": page_link(request, number + 1) if more else "",
            "search": search,
            "may_purge": may_purge(request),
            "look": LookForm(auto_id=LOOK_ID),
            "purge": PurgeForm(initial=wanted, auto_id=PURGE_ID),
            **facts(runtime),
            **forms_given,
        }
        return self._render(request, "change_list", "Cache entries", context)

    def _looked_up(self, request: HttpRequest) -> HttpResponse:
        form = LookForm(request.POST, auto_id=LOOK_ID)
        runtime = runtime_of(request)
        looked: Looked | None = None
        if form.is_valid() and runtime:
            looked = on_loop(lambda: look_up(runtime, **form.cleaned_data))
        return self._page(request, look=form, looked=looked)

    def _confirm(
        self,
        request: HttpRequest,
        *,
        form: PurgeForm | None = None,
        chosen: list[Chosen] | None = None,
    ) -> HttpResponse:
        """What would go, before anything does."""
        check_may_purge(request)
        if form is None and not chosen:
            messages.warning(request, "Tick the answers that shall go.")
            return redirect(request.get_full_path())
        purges = purges_of(form.cleaned_data if form else {}, chosen or [])
        runtime = runtime_of(request)
        for purge in purges:
            purge.at = timezone.now()
        here = on_loop(lambda: matching(runtime, purges)) if runtime else 0
        context = {
            "purges": [str(purge) for purge in purges],
            "here": here,
            "form": form,
            "chosen": [f"{each.request_id} {each.scope}" for each in chosen or ()],
        }
        return self._render(request, "confirm", "Purge the cache?", context)

    def _purge(self, request: HttpRequest) -> HttpResponse:
        check_may_purge(request)
        form = PurgeForm(request.POST, auto_id=PURGE_ID)
        chosen = chosen_of(request)
        if not form.is_valid():
            return self._page(request, purge=form)
        runtime = runtime_of(request)
        for purge in purges_of(form.cleaned_data, chosen):
            purge.save()
            delete_stored(purge)
            self.log_addition(request, purge, f"Purged {purge}.")
            if runtime:
                forget(runtime, purge)
        messages.success(request, "Purged: within a second by every worker.")
        return redirect(reverse("admin:gateway_cacheentry_changelist"))

    def _render(
        self, request: HttpRequest, name: str, title: str, context: dict[str, Any]
    ) -> HttpResponse:
        common = {**self.admin_site.each_context(request), "opts": self.opts}
        return TemplateResponse(
            request,
            f"admin/gateway/cacheentry/{name}.html",
            {**common, "title": title, **context},
        )


def on_loop(read: Callable[[], Result]) -> Result:
    """Run this where the cache lives: nothing of it may be read from a thread."""

    async def there() -> Result:
        return read()

    return async_to_sync(there)()


def facts(runtime: Runtime | None) -> dict[str, Any]:
    """What is where. Only the memory of this process can be listed."""
    kept = StoredAnswer.objects.filter(expires_at__gt=timezone.now().timestamp())
    return {
        "worker": os.getpid() if runtime else None,
        "stats": on_loop(runtime.cache.stats) if runtime else None,
        "kept": kept.count(),
        "in_redis": bool(runtime and runtime.shared),
        "persist": bool(runtime and runtime.snapshot.catalog.policy.cache_persist),
    }


def may_purge(request: HttpRequest) -> bool:
    return request.user.has_perm("gateway.add_cachepurge")


def check_may_purge(request: HttpRequest) -> None:
    if not may_purge(request):
        raise PermissionDenied


def chosen_of(request: HttpRequest) -> list[Chosen]:
    return [Chosen.read(value) for value in request.POST.getlist("entry")[:PAGE]]


def purges_of(wanted: dict[str, Any], chosen: list[Chosen]) -> list[CachePurge]:
    if chosen:
        return [
            CachePurge(scope=each.scope, request_id=each.request_id) for each in chosen
        ]
    return [CachePurge(**wanted)]


def matching(runtime: Runtime, purges: list[CachePurge]) -> int:
    """How many answers of this process these would take."""
    return sum(
        any(takes(purge, slot.scope, slot.entry) for purge in purges)
        for slot in runtime.cache.slots()
    )


def takes(purge: CachePurge, scope: str, entry: Any) -> bool:
    before = purge.at.timestamp() - (purge.older_than_seconds or 0)
    return (
        purge.scope in ("", scope)
        and purge.request_id in ("", entry.request_id)
        and purge.model in ("", entry.model, entry.backend)
        and entry.at <= before
    )


def forget(runtime: Runtime, purge: CachePurge) -> None:
    """At once in this process, and a single answer in Redis; the others will hear."""
    if purge.request_id:
        async_to_sync(runtime.forget_answer)(purge.scope, purge.request_id)
    elif purge.is_whole:
        on_loop(lambda: runtime.cache.purge(purge.scope or None))
    else:
        known = withdrawals(timezone.now())
        on_loop(lambda: runtime.cache.withdraw(known))


def page_number(request: HttpRequest) -> int:
    given = request.GET.get("page", "")
    return min(int(given), 10**6) if given.isascii() and given.isdigit() else 0


def page_link(request: HttpRequest, number: int) -> str:
    query = request.GET.copy()
    query["page"] = str(number)
    return f"?{query.urlencode()}"
