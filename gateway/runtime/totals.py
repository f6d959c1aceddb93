"""All-time sums for `/stats`, read by the ledger's thread after each flush."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.db.models import QuerySet, Sum

from gateway import proofs, savings
from gateway.ledger.store import TOTALS
from gateway.models import UsageTotal
from routing.chat import Json
from routing.pricing import nano_to_usd

# Reads, at five a second, after which the days gone by are summed again: a replay may
# have added to them.
READS_TO_REFRESH = 300
READS_TO_PROOF = 5


class Totals:
    """Sums per scope and kind; the days gone by are summed once, not at each read."""

    def __init__(self) -> None:
        self.by_scope: dict[str, list[Json]] = {}
        self.cache_proof: dict[str, Json] = {}  # by scope: what audits found
        self.measured: dict[str, savings.Arms] = {}  # by scope: groups of a holdout
        self._gone: list[Json] = []
        self._gone_until: date | None = None
        self._reads = 0

    def read(self, today: date) -> None:
        """Take over what the database holds now."""
        # Yesterday's last records may still be on their way.
        until = today - timedelta(days=1)
        if until != self._gone_until or self._reads >= READS_TO_REFRESH:
            self._gone = sums(UsageTotal.objects.filter(day__lt=until))
            self._gone_until, self._reads = until, 0
        if self._reads % READS_TO_PROOF == 0:
            self.cache_proof = proofs.by_scope()
            self.measured = savings.by_scope(today)
        self._reads += 1
        by_scope: dict[str, list[Json]] = {}
        for row in self._gone + sums(UsageTotal.objects.filter(day__gte=until)):
            by_scope.setdefault(row["scope"], []).append(row)
        self.by_scope = by_scope

    def by_kind(self) -> Iterator[tuple[tuple[str, str, str], Json]]:
        """Sums over all scopes per (backend, tier, cache), for operators' machines."""
        kinds: dict[tuple[str, str, str], Json] = {}
        for row in self.of(None):
            kind = (row["backend"], str(row["tier"]), row["cache"])
            sums = kinds.setdefault(kind, dict.fromkeys(TOTALS, 0))
            for name in TOTALS:
                sums[name] += row[name]
        yield from kinds.items()

    def of(self, scope: str | None) -> list[Json]:
        """The sums of one scope; None means of all."""
        if scope is not None:
            return self.by_scope.get(scope, [])
        return [row for rows in self.by_scope.values() for row in rows]


def sums(days: QuerySet[UsageTotal]) -> list[Json]:
    """A row per scope, backend, tier and cache."""
    kinds = days.values("scope", "backend", "tier", "cache").order_by()
    rows: Any = kinds.annotate(**{f"sum_{name}": Sum(name) for name in TOTALS})
    return [
        {key.removeprefix("sum_"): value for key, value in row.items()} for row in rows
    ]


def stats(rows: list[Json]) -> Json:
    """The answer of `/stats`, in the reference's shape and more. Money in dollars."""
    by_model: dict[str, int] = {}
    by_tier: dict[str, int] = {}
    by_cache: dict[str, int] = {}
    sums = dict.fromkeys(TOTALS, 0)
    for row in rows:
        for name in TOTALS:
            sums[name] += row[name]
        _count(by_model, row["backend"], row["requests"])
        _count(by_tier, str(row["tier"] or ""), row["requests"])
        _count(by_cache, row["cache"], row["requests"])
    return {
        "total_requests": sums["requests"],
        "total_saved_usd": nano_to_usd(sums["saved_nano"]),
        "total_spent_usd": nano_to_usd(sums["spent_nano"]),
        "by_model": by_model,
        "by_tier": by_tier,
        "by_cache": by_cache,
        "total_errors": sums["errors"],
        "prompt_tokens": sums["prompt_tokens"],
        "completion_tokens": sums["completion_tokens"],
        "total_saved_nano_usd": sums["saved_nano"],
        "total_spent_nano_usd": sums["spent_nano"],
    }


def _count(counts: dict[str, int], name: str, requests: int) -> None:
    if name and requests:
        counts[name] = counts.get(name, 0) + requests
