"""The admin page of backends: their keys, their prices, what they lack."""

import os
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from routing import (  # noqa: F401 - they register pages
    intent_admin,
    retirement_admin,
    router_admin,
)
from routing.capabilities import CAPABILITIES, cannot
from routing.forms import BackendForm
from routing.history_admin import HistoryAdmin
from routing.models import Backend
from routing.money_format import exact_dollars
from routing.price_admin import NewPrice, PriceHistory
from routing.price_refresh import Proposal, Verdict, propose_for, shown, write
from routing.providers import PROVIDERS
from routing.review import misconfiguration, price_in_effect, tiers_without_backend


@admin.register(Backend)
class BackendAdmin(HistoryAdmin):
    change_form_after_template = "admin/what_if.html"
    form = BackendForm
    list_display = ("name", "tier", "provider", "model", "prices", "state", "status")
    list_editable = ("state",)
    list_filter = ("tier", "provider", "state")
    list_select_related = ("tier",)
    search_fields = ("name", "model")
    readonly_fields = ("lacks",)
    actions = ("drain",)
    inlines: ClassVar = [PriceHistory, NewPrice]
    fieldsets = (
        (None, {"fields": ("name", "tier", "state")}),
        ("Provider", {"fields": ("provider", "model", "base_url")}),
        (
            "Key",
            {
                "fields": ("api_key_env", "new_api_key", "clear_api_key"),
                "description": "Either the name of an environment variable, or a key.",
            },
        ),
        ("What it can do", {"fields": ("capabilities", "lacks")}),
        (
            "Limits",
            {
                "fields": (
                    "context_window",
                    "max_output_tokens",
                    "max_in_flight",
                    "weight",
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Backend]:
        return super().get_queryset(request).prefetch_related("prices")

    @admin.display(description="$ in / out per million")
    def prices(self, backend: Backend) -> str:
        price = price_in_effect(backend, timezone.now())
        if price is None:
            return "unpriced"
        return f"{exact_dollars(price.input)} / {exact_dollars(price.output)}"

    @admin.display(description="Gets no request that needs")
    def lacks(self, backend: Backend) -> str:
        if backend.provider not in PROVIDERS:
            return "-"
        lacking = cannot(backend.provider, backend.model, backend.capabilities)
        return ", ".join(name for name in CAPABILITIES if name in lacking) or "-"

    @admin.display(description="Configuration")
    def status(self, backend: Backend) -> str:
        problem = misconfiguration(backend, os.environ)
        return f"misconfigured: {problem}" if problem else "fine"

    @admin.action(
        description="Drain: finish what is running, take nothing new",
        permissions=["change"],
    )
    def drain(self, request: HttpRequest, backends: QuerySet[Backend]) -> None:
        for backend in backends:
            backend.state = Backend.State.DRAINING
            backend.save(update_fields=["state", "updated_at"])
            self.log_change(request, backend, "Draining.")
        self.message_user(request, "They will take no new request within a second.")

    def save_model(
        self, request: HttpRequest, obj: Backend, form: forms.Form, change: bool
    ) -> None:
        if change and (reason := getattr(form, "key_change", "")):
            obj._change_reason = reason  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)
        if getattr(form, "key_forgotten", False):
            self.message_user(
                request,
                "The stored API key was forgotten because the provider or the address "
                "changed. Enter the key of the new address.",
                messages.WARNING,
            )

    def save_related(
        self, request: HttpRequest, form: forms.Form, formsets: object, change: bool
    ) -> None:
        """Give it the prices that are known when nobody entered any."""
        super().save_related(request, form, formsets, change)
        proposal = self.take_known_prices(form, change=change)
        if proposal is None:
            return
        backend = proposal.backend
        if proposal.verdict is Verdict.NEW:
            text = shown(proposal)
            self.message_user(request, f"Its price: {text.new} ({text.source}).")
        elif proposal.current is None:
            self.message_user(
                request,
                f"{backend} has no price, and none is known: add one, or what it costs "
                "is missing from every sum.",
                messages.WARNING,
            )
        elif proposal.changes or proposal.verdict is Verdict.UNKNOWN:
            self.message_user(
                request,
                "Its price is not the one that is known of this model: look at Prices, "
                "Refresh prices.",
                messages.WARNING,
            )

    def take_known_prices(self, form: forms.Form, *, change: bool) -> Proposal | None:
        """Of a model that is new here; None where it is the one it was."""
        changed = set(form.changed_data)
        if change and not changed & {"provider", "model", "base_url"}:
            return None
        backend = Backend.objects.get(pk=form.instance.pk)  # type: ignore[attr-defined]
        now = timezone.now()
        proposal = propose_for(backend, now)
        if proposal.verdict is Verdict.NEW:
            write(proposal, now)
        return proposal

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        warn_of_empty_tiers(request)
        return super().changelist_view(request, extra_context)

    @method_decorator(sensitive_post_parameters("new_api_key"))
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        warn_of_empty_tiers(request)
        return super().changeform_view(request, object_id, form_url, extra_context)


def warn_of_empty_tiers(request: HttpRequest) -> None:
    """On the page that is shown, so that it stays until somebody mends it."""
    if request.method != "GET":
        return
    for tier in tiers_without_backend():
        messages.warning(
            request,
            f"Tier {tier} has no enabled backend: its requests go to a higher tier.",
        )
