"""The dashboard's numbers, read from the sums per hour and day alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from typing import Any

from django.db.models import F, QuerySet, Sum

from gateway.usage_rows import (
    BUCKETS_MS,
    FIRST_BYTE,
    LATENCY,
    Dimension,
    Span,
    UsageRollup,
)

PERIODS = {1: "Today", 7: "7 days", 30: "30 days"}
ROWS = 12  # of a table; the rest is one sum
AT_MOST = 1000  # values that are read of a dimension
PLAIN_SUMS = tuple(
    name for name in UsageRollup.SUMS if name not in (*LATENCY, *FIRST_BYTE)
)


@dataclass(frozen=True, slots=True)
class Period:
    """`days` whole days up to now, in UTC."""

    days: int
    now: datetime

    @property
    def span(self) -> Span:
        return Span.HOUR if self.days == 1 else Span.DAY

    @property
    def begins(self) -> datetime:
        midnight = self.now.astimezone(UTC).replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        return midnight - timedelta(days=self.days - 1)

    @property
    def starts(self) -> list[datetime]:
        """Of its hours when it is one day, else of its days."""
        step, count = timedelta(days=1), self.days
        if self.days == 1:
            step, count = timedelta(hours=1), 24
        return [self.begins + number * step for number in range(count)]

    @property
    def labels(self) -> list[str]:
        pattern = "%H:00" if self.days == 1 else "%d %b"
        return [f"{start:{pattern}}" for start in self.starts]

    def rows(self, dimension: Dimension) -> QuerySet[UsageRollup]:
        return UsageRollup.objects.filter(
            span=self.span, dimension=dimension, start__gte=self.begins
        ).order_by()


@dataclass(slots=True)
class Line:
    """The sums of one model, tier, key, team, tag, or of everything."""

    name: str = ""
    requests: int = 0
    errors: int = 0
    hits: int = 0
    shared: int = 0
    bypassed: int = 0
    calls: int = 0
    failed_calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    spent_nano: int = 0
    saved_nano: int = 0
    latency: list[int] = field(default_factory=list)
    first_byte: list[int] = field(default_factory=list)

    @property
    def reused(self) -> int:
        return self.hits + self.shared

    @property
    def bought(self) -> int:
        return self.requests - self.reused - self.bypassed

    def add(self, other: "Line") -> None:
        for name in PLAIN_SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.latency = added(self.latency, other.latency)
        self.first_byte = added(self.first_byte, other.first_byte)


def added(counts: Sequence[int], more: Sequence[int]) -> list[int]:
    return [one + other for one, other in zip_longest(counts, more, fillvalue=0)]


Times = dict[datetime, Line]


def totals(period: Period) -> Line:
    """Everything in the period, with the distribution of its times."""
    rows = period.rows(Dimension.ALL)
    return line("", rows.aggregate(**sums(UsageRollup.SUMS)))


def over_time(period: Period) -> Times:
    """The sums of each hour or day, also of those in which nothing came."""
    found = {start: Line() for start in period.starts}
    rows = period.rows(Dimension.ALL).values("start", *PLAIN_SUMS)
    for row in rows:
        start = row["start"]
        found[start] = Line(**{name: row[name] for name in PLAIN_SUMS})
    return found


def by(dimension: Dimension, period: Period) -> list[Line]:
    """The sums per value of a dimension, the most expensive first."""
    rows: Any = period.rows(dimension).values("name")
    # By its cost in the database: clients may make up any number of tags.
    summed = rows.annotate(**sums(UsageRollup.SUMS))
    dearest = summed.order_by("-sum_spent_nano", "-sum_requests", "name")[:AT_MOST]
    return [line(row["name"], row) for row in dearest]


def largest(
    dimension: Dimension, ranked_by: Sequence[str], most: int, period: Period
) -> list[str]:
    """The values of a dimension with the largest sums; none that has nothing."""
    amount = Sum(sum((F(name) for name in ranked_by[1:]), F(ranked_by[0])))
    rows: Any = period.rows(dimension).values("name").annotate(amount=amount)
    ranked = rows.exclude(amount=0).order_by("-amount", "name")
    return list(ranked.values_list("name", flat=True)[:most])


def named_over_time(
    dimension: Dimension, names: Sequence[str], columns: Sequence[str], period: Period
) -> tuple[dict[str, Times], Times]:
    """Of each of `names` the sums per hour or day, and those of all other values."""
    rows: Any = period.rows(dimension)
    found = {name: {start: Line() for start in period.starts} for name in names}
    chosen = rows.filter(name__in=names).values("start", "name")
    for row in chosen.annotate(**sums(columns)):
        found[row["name"]][row["start"]] = line(row["name"], row)
    others = {start: Line() for start in period.starts}
    for row in rows.exclude(name__in=names).values("start").annotate(**sums(columns)):
        others[row["start"]] = line("", row)
    return found, others


def shortened(lines: Sequence[Line]) -> list[Line]:
    """The first ones, and the sum of the others in a last line."""
    if len(lines) <= ROWS:
        return list(lines)
    rest = Line(f"{len(lines) - ROWS + 1} more")
    for one in lines[ROWS - 1 :]:
        rest.add(one)
    return [*lines[: ROWS - 1], rest]


def sums(names: Iterable[str]) -> dict[str, Any]:
    return {f"sum_{name}": Sum(name, default=0) for name in names}


def line(name: str, row: dict[str, Any]) -> Line:
    values = {key[4:]: value for key, value in row.items() if key.startswith("sum_")}
    latency = [values.pop(bucket, 0) for bucket in LATENCY]
    first_byte = [values.pop(bucket, 0) for bucket in FIRST_BYTE]
    return Line(name, latency=latency, first_byte=first_byte, **values)


def percentile(counts: Sequence[int], share: float) -> float | None:
    """Milliseconds that `share` of the requests stay below, from a histogram.

    Exact to its bucket; within it the requests are taken to lie evenly. None when
    there are none. What is slower than the last bound counts as that bound.
    """
    wanted = sum(counts) * share
    if not wanted:
        return None
    seen, lower = 0.0, 0.0
    for count, upper in zip(counts, (*BUCKETS_MS, BUCKETS_MS[-1]), strict=True):
        if count and seen + count >= wanted:
            return lower + (upper - lower) * (wanted - seen) / count
        seen, lower = seen + count, float(upper)
    return lower
