"""Puts journal records into the database: idempotent, in one transaction a batch."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    connection,
    transaction,
)
from django.db.models import F, Field, Model, Value
from django.db.models.functions import Greatest

from gateway.models import Attempt, RequestLog, UsageTotal
from routing.chat import Json

Row = dict[str, Any]
Rows = TypeVar("Rows", bound=Model)
TOTALS = (
    "requests",
    "errors",
    "prompt_tokens",
    "completion_tokens",
    "spent_nano",
    "saved_nano",
)
STEP = 500
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
    request_rows = [_row(RequestLog, record) for record in requests]
    attempt_rows = [_row(Attempt, record) for record in attempts]
    pairs = zip(attempt_rows, attempts, strict=True)
    late = {row["attempt_id"] for row, record in pairs if record.get("late")}
    with transaction.atomic():
        if may_exist:
            request_rows = _new(RequestLog, "request_id", request_rows)
            attempt_rows = _new(Attempt, "attempt_id", attempt_rows)
        _insert(RequestLog, request_rows)
        _insert(Attempt, attempt_rows)
        _add_late_costs(row for row in attempt_rows if row["attempt_id"] in late)
        _add_totals(request_rows, attempt_rows)


def _new(model: type[Rows], key: str, rows: list[Row]) -> list[Row]:
    """Rows whose id isn't in the table yet, each id once."""
    by_id = {row[key]: row for row in rows}
    known: set[str] = set()
    ids = list(by_id)
    for start in range(0, len(ids), STEP):
        chunk = ids[start : start + STEP]
        found = model._default_manager.filter(**{f"{key}__in": chunk})
        known.update(found.values_list(key, flat=True))
    return [row for id_, row in by_id.items() if id_ not in known]


def _row(model: type[Model], record: Json) -> Row:
    """Column values of a record; a column it does not know takes its default."""
    row: Row = {}
    for field in model._meta.concrete_fields:
        if field.primary_key:
            continue
        if field.name not in record and not _may_be_absent(field):
            raise KeyError(field.name)
        value = _without_nul(record.get(field.name, field.get_default()))
        if field.name == "at":
            value = datetime.fromisoformat(value)
        elif isinstance(value, str):
            value = value[: field.max_length]
        row[field.name] = value
    return row


def _may_be_absent(field: "Field[Any, Any]") -> bool:
    return field.has_default() or field.null or field.blank


def _without_nul(value: Any) -> Any:
    """PostgreSQL's text can't hold NUL; a hostile name must not cost a row."""
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd")
    if isinstance(value, list):
        return [_without_nul(item) for item in value]
    if isinstance(value, dict):
        return {_without_nul(key): _without_nul(item) for key, item in value.items()}
    return value


def _insert(model: type[Rows], rows: list[Row]) -> None:
    if rows:
        model._default_manager.bulk_create(
            [model(**row) for row in rows], batch_size=STEP
        )


def _add_late_costs(attempts: Iterable[Row]) -> None:
    """An attempt that outlived its request's log row adds its cost to that row."""
    for attempt in attempts:
        RequestLog.objects.filter(request_id=attempt["request_id"]).update(
            cost_nano=F("cost_nano") + attempt["cost_nano"],
            # Counted already when it began before the row was written.
            attempts=Greatest(F("attempts"), Value(attempt["number"])),
        )


def _add_totals(requests: Iterable[Row], attempts: Iterable[Row]) -> None:
    """Requests count themselves and their savings; attempts count the money."""
    sums: dict[tuple[Any, ...], dict[str, int]] = defaultdict(
        lambda: dict.fromkeys(TOTALS, 0)
    )
    for request in requests:
        total = sums[_kind(request, request["cache"])]
        total["requests"] += 1
        total["errors"] += request["status"] >= 400
        total["prompt_tokens"] += request["prompt_tokens"]
        total["completion_tokens"] += request["completion_tokens"]
        total["saved_nano"] += request["saved_nano"]
    for attempt in attempts:
        sums[_kind(attempt, "MISS")]["spent_nano"] += attempt["cost_nano"]
    for (day, scope, backend, tier, cache), total in sorted(sums.items()):
        row, _ = UsageTotal.objects.get_or_create(
            day=day, scope=scope, backend=backend, tier=tier, cache=cache
        )
        UsageTotal.objects.filter(pk=row.pk).update(
            **{name: F(name) + value for name, value in total.items() if value}
        )


def _kind(row: Row, cache: str) -> tuple[Any, ...]:
    return row["at"].date(), row["scope"], row["backend"], row["tier"] or 0, cache


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
    deleted = 0
    for model in (RequestLog, Attempt):
        manager: Any = model._default_manager
        old = manager.filter(at__lt=cutoff).order_by("at").values("pk")[:STEP]
        deleted += manager.filter(pk__in=[row["pk"] for row in old]).delete()[0]
    return deleted
