"""Admin pages of tiers, aliases and feedback; the others have files of their own."""

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from routing import (  # noqa: F401 - they register pages
    backend_admin,
    intent_admin,
    policy_admin,
    retirement_admin,
    router_admin,
)
from routing.history_admin import HistoryAdmin
from routing.models import Feedback, ModelAlias, Tier
from routing.read_only_admin import ReadOnlyAdmin


@admin.register(Tier)
class TierAdmin(HistoryAdmin):
    change_form_after_template = "admin/what_if.html"
    list_display = ("rank", "name", "max_score", "backend_count")
    list_display_links = ("rank", "name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tier]:
        return super().get_queryset(request).annotate(backend_count=Count("backends"))

    @admin.display(description="Backends", ordering="backend_count")
    def backend_count(self, tier: Tier) -> int:
        return tier.backend_count  # type: ignore[attr-defined]


@admin.register(ModelAlias)
class ModelAliasAdmin(HistoryAdmin):
    list_display = ("pattern", "tier", "backend", "position")
    list_editable = ("tier", "backend", "position")
    search_fields = ("pattern",)


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
