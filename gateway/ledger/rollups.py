"""Adds records to the sums per hour and day, in the transaction of their rows."""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cache
from operator import add
from typing import Any

from django.db import connection

from gateway.ledger.books import OURS
from gateway.ledger.statuses import is_error
from gateway.ledger.table import Sums, text
from gateway.models import RequestLog
from gateway.usage_rows import BUCKETS_MS, Dimension, Span, UsageRollup
from routing.chat import Json

# What the gateway tags with one of them: not a client's `req_body` or `run:nightly`.
OF_ONE = re.compile(r"(?:run:run_|req_)[0-9a-f]{24}")
NAME_CHARS, ID_CHARS = 128, 64  # as wide as their columns
PLACE = {name: place for place, name in enumerate(UsageRollup.SUMS)}
REQUESTS, SPENT = PLACE["requests"], PLACE["spent_nano"]
LATENCY, FIRST_BYTE = PLACE["latency_0"], PLACE["first_byte_0"]
REUSE = {"HIT": "hits", "SHARED": "shared", "BYPASS": "bypassed"}
COPIED = [
    (PLACE[name], name)
    for name in ("prompt_tokens", "completion_tokens", "cached_tokens", "saved_nano")
]

Amounts = list[tuple[int, int]]  # a place in SUMS and what is added there
Name = tuple[str, object]  # a dimension and a value of it
Kind = tuple[str, Any, Any, Any, Any, str, str, str, int, tuple[str, ...]]


class Batch:
    """What one batch of records adds: summed by hour and names first, since most
    records of a batch have these in common, then by row."""

    def __init__(self) -> None:
        self._alike: dict[tuple[str, tuple[Name, ...]], list[int]] = {}

    def add(self, at: str, names: tuple[Name, ...], amounts: Amounts) -> None:
        sums = self._of(at, names)
        for place, amount in amounts:
            sums[place] += amount

    def add_sums(self, at: str, names: tuple[Name, ...], more: list[int]) -> None:
        sums = self._of(at, names)
        sums[:] = map(add, sums, more)

    def _of(self, at: str, names: tuple[Name, ...]) -> list[int]:
        sums = self._alike.get(key := (hour_of(at), names))
        if sums is None:
            sums = self._alike[key] = nothing()
        return sums

    def rows(self) -> dict[tuple[Any, ...], list[int]]:
        """Sums by span, start, dimension and name."""
        rows: dict[tuple[Any, ...], list[int]] = {}
        for (at, names), sums in self._alike.items():
            named = [(dimension, text(name)[:NAME_CHARS]) for dimension, name in names]
            for span, start in starts(datetime.fromisoformat(at)):
                for dimension, name in named:
                    key = (span, start, dimension, name)
                    row = rows.get(key)
                    rows[key] = [*map(add, row, sums)] if row else list(sums)
        return rows

    def write(self) -> None:
        # Sorted: two workers that add to the same rows take their locks in one order.
        writer().add([*key, *sums] for key, sums in sorted(self.rows().items()))


def add_rollups(requests: Iterable[Json], attempts: Iterable[Json]) -> None:
    """Requests count themselves, their tokens and times; attempts count the money."""
    batch = Batch()
    add_requests(requests, batch)
    for attempt in attempts:
        add_attempt(attempt, batch)
    batch.write()


def add_requests(requests: Iterable[Json], batch: Batch) -> None:
    alike: dict[Kind, list[int]] = defaultdict(nothing)
    for request in requests:
        add_request(request, alike[kind_of(request)])
    for (
        at,
        backend,
        tier,
        key,
        team,
        own,
        reuse,
        level,
        status,
        tags,
    ), sums in alike.items():
        if is_error(status):
            sums[PLACE["errors"]] = sums[REQUESTS]
        if reuse in REUSE:
            sums[PLACE[REUSE[reuse]]] = sums[REQUESTS]
        # Of what no call knows it is the request that tells the cost.
        batch.add_sums(at, what(own, reuse, level, status, tags), sums)
        sums[SPENT] = 0
        batch.add_sums(at, named(backend, tier, key, team), sums)


def kind_of(request: Json) -> Kind:
    """What requests have in common that are summed up together."""
    return (
        hour_of(request["at"]),
        request["backend"],
        request["tier"],
        request.get("key_name", ""),
        request.get("team", ""),
        own_endpoint(request.get("endpoint", "")),
        request["cache"],
        request.get("cache_level", ""),
        request["status"],
        tags_in_common(request.get("tags", ())),
    )


def tags_in_common(tags: Iterable[str]) -> tuple[str, ...]:
    """Without ours that name a single run or request: its page has its sums, and each
    would be a row for an hour and one for a day."""
    return tuple([tag for tag in tags if not OF_ONE.fullmatch(tag)]) if tags else ()


def add_request(request: Json, sums: list[int]) -> None:
    """What differs from request to request of a kind."""
    sums[REQUESTS] += 1
    sums[LATENCY + bucket(request.get("latency_ms") or 0)] += 1
    if (first_byte := request.get("first_byte_ms")) is not None:
        sums[FIRST_BYTE + bucket(first_byte)] += 1
    for place, name in COPIED:
        sums[place] += request.get(name, 0)
    sums[SPENT] += request.get("cost_nano", 0)


def add_attempt(attempt: Json, batch: Batch) -> None:
    cost = attempt["cost_nano"]
    amounts = [
        (PLACE["calls"], 1),
        (PLACE["failed_calls"], int(attempt.get("status") != 200)),
        (PLACE["spent_nano"], cost),
    ]
    batch.add(attempt["at"], who(attempt), amounts)
    if attempt.get("late"):
        # It outlived its request's record, whose cost it still is.
        id_ = text(attempt["request_id"])[:ID_CHARS]
        rows = RequestLog.objects.filter(request_id=id_)
        columns = ("at", "endpoint", "cache", "cache_level", "status", "tags")
        for moment, endpoint, reuse, level, status, tags in rows.values_list(*columns):
            own, common = own_endpoint(endpoint), tags_in_common(tags)
            names = what(own, reuse, level, status, common)
            batch.add(moment.isoformat(), names, [(PLACE["spent_nano"], cost)])


def who(record: Json) -> tuple[Name, ...]:
    key, team = record.get("key_name", ""), record.get("team", "")
    return named(record["backend"], record["tier"], key, team)


def named(backend: object, tier: object, key: object, team: object) -> tuple[Name, ...]:
    return (
        (Dimension.ALL, ""),
        (Dimension.MODEL, backend),
        (Dimension.TIER, tier or ""),
        (Dimension.KEY, key),
        (Dimension.TEAM, team),
    )


def own_endpoint(endpoint: object) -> str:
    """Of a request that the gateway made to decide or to learn; else ""."""
    name = text(endpoint)
    return name if name.startswith(OURS) else ""


def what(
    own: str, reuse: str, level: str, status: int, tags: Iterable[str]
) -> tuple[Name, ...]:
    """No client was answered by a request of our own: it is a kind by itself."""
    answer = own or f"{reuse} {level}".strip()
    named = ((Dimension.TAG, tag) for tag in sorted(set(tags)))
    return ((Dimension.ANSWER, answer), (Dimension.STATUS, status), *named)


def nothing() -> list[int]:
    return [0] * len(PLACE)


def hour_of(at: str) -> str:
    """A moment that stands for its hour; ours are in UTC."""
    return f"{at[:13]}:00:00+00:00" if at.endswith("+00:00") else at


def bucket(milliseconds: float) -> int:
    return bisect_left(BUCKETS_MS, milliseconds)


def starts(moment: datetime) -> Iterator[tuple[str, Any]]:
    """The beginnings of its hour and day in UTC, as the database takes them."""
    hour = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    adapt = connection.ops.adapt_datetimefield_value
    yield Span.HOUR.value, adapt(hour)
    yield Span.DAY.value, adapt(hour.replace(hour=0))


@cache
def writer() -> Sums:
    return Sums(UsageRollup, UsageRollup.KEY, UsageRollup.SUMS)
