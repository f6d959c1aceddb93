"""Admin pages of tiers, backends, aliases, the policy and feedback."""

import os
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from routing import intent_admin, router_admin  # noqa: F401 - they register pages
from routing.capabilities import CAPABILITIES, cannot
from routing.forms import BackendForm
from routing.history_admin import HistoryAdmin
from routing.models import Backend, Feedback, ModelAlias, RoutingPolicy, Tier
from routing.money_format import exact_dollars
from routing.price_admin import NewPrice, PriceHistory
from routing.price_refresh import Verdict, propose_for, shown, write
from routing.providers import PROVIDERS
from routing.read_only_admin import ReadOnlyAdmin
from routing.review import key_problem, price_in_effect, tiers_without_backend


@admin.register(Tier)
class TierAdmin(HistoryAdmin):
    list_display = ("rank", "name", "max_score", "backend_count")
    list_display_links = ("rank", "name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tier]:
        return super().get_queryset(request).annotate(backend_count=Count("backends"))

    @admin.display(description="Backends", ordering="backend_count")
    def backend_count(self, tier: Tier) -> int:
        return tier.backend_count  # type: ignore[attr-defined]


@admin.register(Backend)
class BackendAdmin(HistoryAdmin):
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
        problem = key_problem(backend, os.environ)
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
        changed = set(form.changed_data)
        if change and not changed & {"provider", "model", "base_url"}:
            return
        backend = Backend.objects.get(pk=form.instance.pk)  # type: ignore[attr-defined]
        now = timezone.now()
        proposal = propose_for(backend, now)
        if proposal.verdict is Verdict.NEW:
            write(proposal, now)
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


@admin.register(ModelAlias)
class ModelAliasAdmin(HistoryAdmin):
    list_display = ("pattern", "tier", "backend", "position")
    list_editable = ("tier", "backend", "position")
    search_fields = ("pattern",)


@admin.register(RoutingPolicy)
class RoutingPolicyAdmin(HistoryAdmin):
    fieldsets = (
        (
            "Who decides",
            {
                "fields": (
                    "client_model",
                    "baseline_tier",
                    "holdout_share",
                    "allow_downgrade",
                )
            },
        ),
        (
            "Cache",
            {
                "fields": (
                    "cache_enabled",
                    "cache_matching",
                    "cache_max_entries",
                    "cache_max_bytes",
                    "cache_ttl_seconds",
                    "cache_max_ttl_seconds",
                    "cache_similarity",
                    "cache_max_temperature",
                    "cache_stale_seconds",
                    "cache_persist",
                )
            },
        ),
        (
            "Audits of the cache",
            {
                "fields": (
                    "cache_audit_share",
                    "cache_audit_budget_usd",
                    "cache_judge",
                    "cache_learn_aliases",
                    "cache_max_false_hit_share",
                    "cache_min_audits",
                )
            },
        ),
        ("Sharing", {"fields": ("sharing_enabled", "sharing_buffer_bytes")}),
        (
            "Budgets near their end",
            {
                "fields": (
                    "budget_cap_share",
                    "budget_cap_tier",
                    "budget_cheapest_share",
                )
            },
        ),
        (
            "Retries and time-outs",
            {
                "fields": (
                    "max_attempts",
                    "retry_budget",
                    "retry_ambiguous",
                    "on_disconnect",
                    "drain_seconds",
                    "connect_timeout_seconds",
                    "first_byte_timeout_seconds",
                    "read_timeout_seconds",
                    "write_timeout_seconds",
                    "stream_max_seconds",
                    "max_answer_bytes",
                    "keepalive_seconds",
                    "default_max_output_tokens",
                )
            },
        ),
        (
            "Learned",
            {
                "fields": (
                    "cold_start",
                    "learned_target",
                    "learned_target_value",
                    "learning",
                    "learned_exploration",
                    "learned_soft_share",
                    "learned_refit_every",
                    "learned_shadow_requests",
                    "learned_across_scopes",
                    "learned_judge",
                    "learned_pair_share",
                    "learned_pair_budget_usd",
                    "learned_threshold",
                    "sidecar_url",
                    "sidecar_weight",
                    "sidecar_budget_seconds",
                    "max_feedback",
                    "intents",
                )
            },
        ),
        (
            "Cascade",
            {
                "fields": (
                    "cascade",
                    "cascade_band",
                    "cascade_check",
                    "cascade_confidence",
                    "cascade_judge",
                    "cascade_window",
                    "cascade_hold_seconds",
                )
            },
        ),
        (
            "Logs",
            {
                "fields": (
                    "log_retention_days",
                    "contents",
                    "contents_chars",
                    "contents_retention_days",
                )
            },
        ),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: RoutingPolicy | None = None
    ) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, str] | None = None
    ) -> HttpResponseRedirect:
        """There is one policy, so its list is its form."""
        policy = RoutingPolicy.load()
        return HttpResponseRedirect(
            reverse("admin:routing_routingpolicy_change", args=(policy.pk,))
        )


@admin.register(Feedback)
class FeedbackAdmin(ReadOnlyAdmin):
    list_display = (
        "created_at",
        "quality",
        "score",
        "tier",
        "scope",
        "request_id",
        "weight",
    )
    list_filter = ("tier",)
    search_fields = ("request_id__exact", "scope")
