"""Puts journal records into the database: idempotent, in one transaction a batch."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, TypeVar

from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    connection,
    transaction,
)
from django.db.models import F, Model, Value
from django.db.models.functions import Greatest

from gateway.ledger import acceptance
from gateway.ledger.lessons import keep_lessons
from gateway.ledger.measured_days import add_late_cost, add_measured_days
from gateway.ledger.placed_hours import add_placed_hours
from gateway.ledger.rollups import add_rollups
from gateway.ledger.spend_days import add_spend_days
from gateway.ledger.statuses import is_error
from gateway.ledger.table import Sums, Table, text
from gateway.models import (
    Attempt,
    LimitCounter,
    LimitHold,
    PlacedHour,
    RequestContent,
    RequestLog,
    UsageRollup,
    UsageTotal,
)
from gateway.usage_rows import Dimension, Span
from routing.chat import Json
from routing.models import Lesson

Rows = TypeVar("Rows", bound=Model)
TOTALS = (
    "requests",
    "errors",
    "prompt_tokens",
    "completion_tokens",
    "spent_nano",
    "saved_nano",
)
KIND = ("day", "scope", "backend", "tier", "cache")
STEP = 500
# As wide as their columns, which PostgreSQL insists on.
ID_CHARS, SCOPE_CHARS, BACKEND_CHARS, CACHE_CHARS = 64, 160, 128, 8
BAD_RECORD = (DatabaseError, ValueError, TypeError, KeyError, OverflowError)


def save(requests: list[Json], attempts: list[Json], *, may_exist: bool) -> list[Json]:
    """Store the records; returns those whose contents the database refuses.

    `may_exist` looks first which are already there (a replay), so that totals count
    each once. Raises OperationalError when the database itself can't be used.
    """
    try:
        _save(requests, attempts, may_exist)
        return []
    except (OperationalError, InterfaceError):
        raise
    except BAD_RECORD:
        return _save_singly(requests, attempts)


def _save_singly(requests: list[Json], attempts: list[Json]) -> list[Json]:
    """One record must not cost its neighbours their rows."""
    poisoned: list[Json] = []
    pairs: list[tuple[list[Json], list[Json]]] = [([r], []) for r in requests]
    pairs += [([], [a]) for a in attempts]
    for one_request, one_attempt in pairs:
        try:
            _save(one_request, one_attempt, may_exist=True)
        except (OperationalError, InterfaceError):
            raise
        except BAD_RECORD:
            poisoned += one_request + one_attempt
    return poisoned


def _save(requests: list[Json], attempts: list[Json], may_exist: bool) -> None:
    with transaction.atomic():
        if may_exist:
            requests = _new(RequestLog, "request_id", requests)
            attempts = _new(Attempt, "attempt_id", attempts)
        _table(RequestLog).insert([_table(RequestLog).values(r) for r in requests])
        _table(Attempt).insert([_table(Attempt).values(a) for a in attempts])
        _keep_contents(requests)
        keep_lessons(requests)
        _add_late_costs(attempts)
        _add_totals(requests, attempts)
        add_rollups(requests, attempts)
        add_spend_days(requests, attempts)
        add_measured_days(requests)
        add_placed_hours(requests)
        for request in requests:
            if earlier := request.get("asks_again"):
                acceptance.note(text(earlier), text(request["scope"]), "asked_again")


def _keep_contents(requests: Iterable[Json]) -> None:
    """The texts of those whose policy wants them kept."""
    columns = ("request_id", "at", "scope", "key_id")
    kept = [
        {**request["contents"], **{c: request[c] for c in columns if c in request}}
        for request in requests
        if request.get("contents")
    ]
    table = _table(RequestContent)
    table.insert([table.values(record) for record in kept])


@cache
def _table(model: type[Model]) -> Table:
    return Table(model)


def _new(model: type[Rows], key: str, records: list[Json]) -> list[Json]:
    """Records whose id isn't in the table yet, each id once."""
    by_id = {text(record[key])[:ID_CHARS]: record for record in records}
    known: set[str] = set()
    ids = list(by_id)
    for start in range(0, len(ids), STEP):
        chunk = ids[start : start + STEP]
        found = model._default_manager.filter(**{f"{key}__in": chunk})
        known.update(found.values_list(key, flat=True))
    return [record for id_, record in by_id.items() if id_ not in known]


def _add_late_costs(attempts: Iterable[Json]) -> None:
    """An attempt that outlived its request's log row adds its cost to that row."""
    for attempt in attempts:
        if attempt.get("late"):
            found = RequestLog.objects.filter(request_id=attempt["request_id"])
            row = found.values("at", "scope", "endpoint", "arm", "cost_nano").first()
            found.update(
                cost_nano=F("cost_nano") + attempt["cost_nano"],
                # Counted already when it began before the row was written.
                attempts=Greatest(F("attempts"), Value(attempt["number"])),
            )
            if row:
                add_late_cost(row, attempt["cost_nano"])


def _add_totals(requests: Iterable[Json], attempts: Iterable[Json]) -> None:
    """Requests count themselves and their savings; attempts count the money."""
    sums: dict[tuple[Any, ...], dict[str, int]] = defaultdict(
        lambda: dict.fromkeys(TOTALS, 0)
    )
    for request in requests:
        total = sums[_kind(request, request["cache"])]
        total["requests"] += 1
        total["errors"] += is_error(request["status"])
        for name in ("prompt_tokens", "completion_tokens", "saved_nano"):
            total[name] += request.get(name, 0)
    for attempt in attempts:
        sums[_kind(attempt, "MISS")]["spent_nano"] += attempt["cost_nano"]
    _usage_sums().add([*kind, *total.values()] for kind, total in sorted(sums.items()))


def _kind(record: Json, reuse: str) -> tuple[Any, ...]:
    """As its columns hold it, so that one kind is one row of a batch."""
    return (
        date.fromisoformat(record["at"][:10]).isoformat(),  # our times are in UTC
        text(record["scope"])[:SCOPE_CHARS],
        text(record["backend"])[:BACKEND_CHARS],
        int(record["tier"] or 0),
        text(reuse)[:CACHE_CHARS],
    )


@cache
def _usage_sums() -> Sums:
    return Sums(UsageTotal, KIND, TOTALS)


def make_durable() -> None:
    """Bring commits to the disk itself, before the journal that holds them goes.

    SQLite's WAL with synchronous=NORMAL syncs at checkpoints only; PostgreSQL has
    synced at each commit.
    """
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")


def purge(now: datetime, days: int) -> int:
    """Delete one small step of rows older than `days`; returns how many went."""
    cutoff = now - timedelta(days=days)
    manager: Any
    deleted = 0
    for manager in (LimitCounter.objects, LimitHold.objects):
        ended = manager.filter(ends_at__lt=now - timedelta(hours=1))
        deleted += ended.filter(pk__in=ended.values("pk")[:STEP]).delete()[0]
    for model in (RequestLog, Attempt, Lesson):
        manager = model._default_manager
        old = manager.filter(at__lt=cutoff).order_by("at").values("pk")[:STEP]
        deleted += manager.filter(pk__in=[row["pk"] for row in old]).delete()[0]
    _purge_rollups(cutoff)
    return deleted


def purge_contents(now: datetime, days: int) -> int:
    """Delete one small step of texts older than `days`; returns how many went."""
    old = RequestContent.objects.filter(at__lt=now - timedelta(days=days))
    chosen = list(old.order_by("at").values_list("pk", flat=True)[:STEP])
    return RequestContent.objects.filter(pk__in=chosen).delete()[0]


def _purge_rollups(cutoff: datetime) -> None:
    """The sums of days stay, but not those of tags, which any client may make up."""
    old = UsageRollup.objects.filter(start__lt=cutoff)
    hours = old.filter(span=Span.HOUR)
    tags = old.filter(span=Span.DAY, dimension=Dimension.TAG)
    placed = PlacedHour.objects.filter(start__lt=cutoff)
    for rows in (hours, tags, placed):
        chosen = list(rows.order_by("start").values_list("pk", flat=True)[:STEP])
        rows.model._default_manager.filter(pk__in=chosen).delete()
