"""Filters with fixed choices: asking a large table for its own would read all of it."""

from datetime import timedelta
from typing import ClassVar

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone


class WhenFilter(SimpleListFilter):
    title = "time"
    parameter_name = "when"
    spans: ClassVar = {
        "hour": ("The last hour", timedelta(hours=1)),
        "day": ("The last 24 hours", timedelta(days=1)),
        "week": ("The last 7 days", timedelta(days=7)),
    }

    def lookups(
        self, request: HttpRequest, model_admin: ModelAdmin
    ) -> list[tuple[str, str]]:
        return [(name, label) for name, (label, _) in self.spans.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        chosen = self.spans.get(self.value() or "")
        if chosen is None:
            return queryset
        return queryset.filter(at__gte=timezone.now() - chosen[1])


class CacheFilter(SimpleListFilter):
    title = "cache"
    parameter_name = "cache"

    def lookups(
        self, request: HttpRequest, model_admin: ModelAdmin
    ) -> list[tuple[str, str]]:
        return [(name, name) for name in ("HIT", "SHARED", "MISS", "BYPASS")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(cache=self.value()) if self.value() else queryset


class FailedFilter(SimpleListFilter):
    title = "result"
    parameter_name = "result"

    def lookups(
        self, request: HttpRequest, model_admin: ModelAdmin
    ) -> list[tuple[str, str]]:
        return [("failed", "Failed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.exclude(error_code="") if self.value() else queryset
