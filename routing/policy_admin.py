"""The admin page of the routing policy, its fields by subject."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from routing import (  # noqa: F401 - they register pages
    intent_admin,
    retirement_admin,
    router_admin,
)
from routing.history_admin import HistoryAdmin
from routing.models import RoutingPolicy


@admin.register(RoutingPolicy)
class RoutingPolicyAdmin(HistoryAdmin):
    change_form_after_template = "admin/what_if.html"
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
                    "cache_embeddings",
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
