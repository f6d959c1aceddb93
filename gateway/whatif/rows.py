"""The logged requests of the last days, in the order they ended."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import orjson
from django.db.models import F, Min, QuerySet, TextField
from django.db.models.functions import Cast

from gateway.ledger.books import NOT_OF_CLIENTS
from gateway.models import RequestLog
from gateway.whatif.replay import Decided, features_of
from routing.chat import Json, Usage

AT_ONCE = 2000
COLUMNS = (
    *("pk", "request_id"),
    *("scope", "dialect", "model_asked", "score", "backend", "arm"),
    *("tier", "cache", "status", "answered_by", "cost_nano"),
    *("prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens"),
)

TEXTS = {"told": "facts", "written_at": "at"}


class Row(NamedTuple):
    """A request as it went. `served` tells that some answer was given."""

    pk: int
    request_id: str
    written_at: str
    decided: Decided
    tier: int | None
    cache: str
    served: bool
    answered_by: str
    usage: Usage
    cost_nano: int

    @property
    def at(self) -> datetime:
        when = datetime.fromisoformat(self.written_at)
        return when if when.tzinfo else when.replace(tzinfo=UTC)

    @property
    def bought(self) -> bool:
        """Did a backend answer this request, and is it known how it was chosen?"""
        return (
            self.served
            and self.cache in ("MISS", "BYPASS")
            and "paid" in self.decided.facts
        )


def since(now: datetime, days: int) -> "QuerySet[RequestLog]":
    """Those of clients: neither the gateway's own nor trials of other rules."""
    found = within(now, days)
    for beginning in NOT_OF_CLIENTS:
        found = found.exclude(endpoint__startswith=beginning)
    return found


def within(now: datetime, days: int) -> "QuerySet[RequestLog]":
    return RequestLog.objects.filter(at__gte=now - timedelta(days=days))


def before(now: datetime, days: int) -> int:
    """The key after which the rows of these days begin: without it the first portion
    would read all that is older."""
    # With 0 added, the index of times answers; else SQLite walks through the keys.
    found = within(now, days).aggregate(first=Min(F("pk") + 0))
    return (found["first"] or 1) - 1


def after(query: "QuerySet[RequestLog]", pk: int) -> list[Row]:
    """The next rows: by key, so that each portion costs the same."""
    # As text: to make objects of all times takes a fifth of the whole comparison.
    texts = {name: Cast(F(of), TextField()) for name, of in TEXTS.items()}
    rows = query.annotate(**texts).filter(pk__gt=pk).order_by("pk")
    found = rows.values_list(*COLUMNS, *TEXTS)
    return [row_of(each) for each in found[:AT_ONCE]]


def row_of(columns: tuple[Any, ...]) -> Row:
    """Of COLUMNS and TEXTS, in their order."""
    pk, request_id, scope, dialect, model, score, backend, arm = columns[:8]
    tier, cache, status, answered_by, cost_nano = columns[8:13]
    told, at = columns[17:]
    facts = (orjson.loads(told) if told else None) or {}
    return Row(
        pk,
        request_id,
        at,
        Decided(
            scope, dialect, model, score or 0, backend, arm, facts, features_of(facts)
        ),
        tier,
        cache,
        status == 200 and bool(backend),
        answered_by,
        usage_of(columns[13:17], facts),
        cost_nano,
    )


def usage_of(tokens: tuple[int, ...], facts: Json) -> Usage:
    """What was used, with what the provider wrote to its prompt cache."""
    prompt, completion, cached, reasoning = tokens
    written, for_an_hour = facts.get("written", (0, 0))
    return Usage(
        prompt, completion, cached, written, reasoning, cache_write_1h=for_an_hour
    )
