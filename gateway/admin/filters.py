"""Filters with fixed choices: asking a large table for its own would read all of it."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar

import orjson
from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.db import connection
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import HttpRequest
from django.utils import timezone

from gateway.models import ApiKey, Team
from gateway.usage_rows import Dimension, Span, UsageRollup
from routing.models import Backend, Tier
from routing.pricing import NANO_PER_USD

CHOICES_SHOWN = 100


class WhenFilter(SimpleListFilter):
    """A span up to now, or a whole day (UTC): any `?when=2026-03-01` works."""

    title = "time"
    parameter_name = "when"
    moment = "at"
    days = 14
    spans: ClassVar = {
        "hour": ("The last hour", timedelta(hours=1)),
        "day": ("The last 24 hours", timedelta(days=1)),
        "week": ("The last 7 days", timedelta(days=7)),
    }

    def lookups(
        self, request: HttpRequest, model_admin: ModelAdmin
    ) -> list[tuple[str, str]]:
        today = timezone.now().date()
        days = [str(today - timedelta(days=number)) for number in range(self.days)]
        spans = [(name, label) for name, (label, _) in self.spans.items()]
        return [*spans, *((day, day) for day in days)]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        asked = self.value() or ""
        if asked in self.spans:
            since = timezone.now() - self.spans[asked][1]
            return queryset.filter(**{f"{self.moment}__gte": since})
        try:
            day = date.fromisoformat(asked)
            begins = datetime(day.year, day.month, day.day, tzinfo=UTC)
            ends = begins + timedelta(days=1)
        except (ValueError, OverflowError):
            return queryset
        return queryset.filter(
            **{f"{self.moment}__gte": begins, f"{self.moment}__lt": ends}
        )


class ChosenFilter(SimpleListFilter):
    """Equality with one of the values that rows elsewhere know."""

    column = ""

    def values(self) -> Iterable[str]:
        raise NotImplementedError

    def lookups(
        self, request: HttpRequest, model_admin: ModelAdmin
    ) -> list[tuple[str, str]]:
        values = [str(value) for value in self.values()]
        asked = request.GET.get(self.parameter_name or "", "")
        if asked and asked not in values:  # of a row that is gone by now
            values.append(asked)
        return [(value, value) for value in values]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if not self.value():
            return queryset
        return queryset.filter(**{self.column: self.value()})


class KeyFilter(ChosenFilter):
    title = "key"
    parameter_name = "key"
    column = "key_name"

    def values(self) -> Iterable[str]:
        return ApiKey.objects.values_list("name", flat=True)[:CHOICES_SHOWN]


class TeamFilter(ChosenFilter):
    title = "team"
    parameter_name = "team"
    column = "team"

    def values(self) -> Iterable[str]:
        return Team.objects.values_list("name", flat=True)[:CHOICES_SHOWN]


class ModelFilter(ChosenFilter):
    title = "model"
    parameter_name = "backend"
    column = "backend"

    def values(self) -> Iterable[str]:
        return Backend.objects.values_list("name", flat=True)[:CHOICES_SHOWN]


class TierFilter(ChosenFilter):
    title = "tier"
    parameter_name = "tier"
    column = "tier"

    def values(self) -> Iterable[str]:
        return map(str, Tier.objects.values_list("rank", flat=True))

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        asked = self.value() or ""
        known = asked.isascii() and asked.isdigit() and len(asked) < 5
        return queryset.filter(tier=int(asked)) if known else queryset


class TagFilter(ChosenFilter):
    """The tags of the last days, of which clients may make up any number."""

    title = "tag"
    parameter_name = "tag"

    def values(self) -> Iterable[str]:
        rows = UsageRollup.objects.filter(span=Span.DAY, dimension=Dimension.TAG)
        newest = rows.order_by("-start").values_list("name", flat=True)
        return sorted(set(newest[:CHOICES_SHOWN]))

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        tag = self.value()
        if not tag:
            return queryset
        if connection.features.supports_json_field_contains:
            return queryset.filter(tags__contains=[tag])
        # The ledger writes the list without spaces, so a tag stands in its quotes.
        written = queryset.alias(written=Cast("tags", TextField()))
        return written.filter(written__contains=orjson.dumps(tag).decode())


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


class RangeFilter(SimpleListFilter):
    """One of a few fixed ranges; `ranges` has a name, a label and a condition each."""

    ranges: ClassVar[dict[str, tuple[str, Q]]] = {}

    def lookups(
        self, request: HttpRequest, model_admin: ModelAdmin
    ) -> list[tuple[str, str]]:
        return [(name, label) for name, (label, _) in self.ranges.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        chosen = self.ranges.get(self.value() or "")
        return queryset.filter(chosen[1]) if chosen else queryset


class StatusFilter(RangeFilter):
    title = "status"
    parameter_name = "status"
    ranges: ClassVar = {
        "200": ("200: answered", Q(status=200)),
        "4xx": ("4xx: refused", Q(status__gte=400, status__lt=499)),
        "429": ("429: too many", Q(status=429)),
        "499": ("499: the client left", Q(status=499)),
        "5xx": ("5xx: failed", Q(status__gte=500)),
    }


class CostFilter(RangeFilter):
    title = "cost"
    parameter_name = "cost"
    ranges: ClassVar = {
        "0": ("Nothing", Q(cost_nano=0)),
        **{
            text: (
                f"${text} or more",
                Q(cost_nano__gte=int(float(text) * NANO_PER_USD)),
            )
            for text in ("0.001", "0.01", "0.1", "1")
        },
    }


class LatencyFilter(RangeFilter):
    title = "latency"
    parameter_name = "latency"
    ranges: ClassVar = {
        str(seconds): (f"{seconds} s or more", Q(latency_ms__gte=seconds * 1000))
        for seconds in (1, 5, 20, 60)
    }


class ScoreFilter(RangeFilter):
    title = "score"
    parameter_name = "score"
    ranges: ClassVar = {
        f"{low}-{high}": (f"{low} to {high}", Q(score__gte=low, score__lte=high))
        for low, high in ((0, 19), (20, 39), (40, 59), (60, 79), (80, 100))
    }
