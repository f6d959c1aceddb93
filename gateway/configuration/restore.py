"""The configuration of an earlier moment, from the history of its rows.

Everything whose history is kept. Nobody is let in again by it or shut out: no key comes
back, is revoked or gets another expiry, and keys and teams made since stay.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models import Model

from gateway.configuration.apply import apply
from gateway.configuration.difference import Change, Detail, Outcome, Plan, change_of
from gateway.configuration.problems import ConfigurationError
from gateway.configuration.report import describe
from gateway.models import ApiKey, Team
from routing import history
from routing.models import (
    Backend,
    Intent,
    ModelAlias,
    Price,
    Retirement,
    RoutingPolicy,
    Tier,
    TrailPin,
)

# In the order in which rows need each other; workflows and the like need none of them.
FIRST: tuple[type[Model], ...] = (
    Tier,
    Backend,
    ModelAlias,
    RoutingPolicy,
    Intent,
    TrailPin,
    Team,
    ApiKey,
)
# Nothing is lost with them: they hold no more than their history does.
DELETED_BEFORE: tuple[type[Model], ...] = (ModelAlias, TrailPin, Retirement)
PRICE = ("input", "output", "cache_read", "cache_write", "longer")


@dataclass(frozen=True, slots=True)
class Restoration:
    """What a restoring would do: rows to save, and those that were not there then."""

    plan: Plan
    gone_before: tuple[Model, ...]
    gone_after: tuple[Model, ...]

    @property
    def is_empty(self) -> bool:
        return self.plan.is_empty and not self.gone_before and not self.gone_after

    def describe(self) -> Iterator[str]:
        for row in (*self.gone_before, *self.gone_after):
            yield f"- {label_of(row)}: it was not there then, and goes"
        yield from describe(self.plan)


def plan_restore(moment: datetime, now: datetime) -> Restoration:
    """Compare the rows with what they were at `moment`. Reads rows, writes none.

    Raises ConfigurationError when there was no tier then.
    """
    changes: list[Change] = []
    notes: list[str] = []
    new: dict[type[Model], list[Model]] = {}
    for model in tracked():
        then = as_of(model, moment)
        rows = {row.pk: row for row in model._default_manager.all()}
        for pk, record in then.items():
            if record.history_type == "-":
                continue
            if pk not in rows and model is ApiKey:
                notes.append(f"the key {record.name} is gone for good; issue a new one")
            else:
                changes.append(back_to(model, record, rows.get(pk)))
        new[model] = [row for row in rows.values() if not was_there(row, then)]
    gone = new[Tier]
    home = home_of_the_others(gone)
    changes += [
        switch_off(row, gone, home)
        for rows in new.values()
        for row in rows
        if hasattr(row, "out_of_use")
    ]
    changes += prices_back(moment, now)
    notes += [f"{label_of(row)} is newer and stays" for row in stays(new)]
    before = tuple(row for model in DELETED_BEFORE for row in new[model])
    return Restoration(Plan(tuple(changes), tuple(notes)), before, tuple(gone))


def tracked() -> tuple[type[Model], ...]:
    """Every model whose history is kept, but prices, which have rules of their own."""
    kept = [model for model in apps.get_models() if hasattr(model, "history")]
    return (*FIRST, *(m for m in kept if m not in FIRST and m is not Price))


def stays(new: dict[type[Model], list[Model]]) -> Iterator[Model]:
    """Rows that were not there then, and are what others rely on: keys and teams."""
    for model, rows in new.items():
        if not hasattr(model, "out_of_use") and model not in (*DELETED_BEFORE, Tier):
            yield from rows


def apply_restore(restoration: Restoration, moment: datetime) -> None:
    """All of it or nothing. Raises ConfigurationError."""
    reason = f"Restored as of {moment:%Y-%m-%d %H:%M:%S} UTC."
    rows = [row for change in restoration.plan.changes for row in change.rows]
    for row in (*rows, *restoration.gone_before, *restoration.gone_after):
        row._change_reason = reason  # type: ignore[attr-defined]
    with transaction.atomic():
        for row in restoration.gone_before:  # an old one may say the same
            row.delete()
        apply(restoration.plan, gone=restoration.gone_after)


def home_of_the_others(gone: list[Model]) -> Tier:
    """Where backends of tiers that go are kept, switched off."""
    left = Tier.objects.exclude(pk__in=[row.pk for row in gone]).order_by("-rank")
    if (home := left.first()) is None:
        raise ConfigurationError(["Nothing was configured then."])
    return home


def as_of(model: type[Model], moment: datetime) -> dict[int, Any]:
    """The last version of each row up to `moment`, by the row's id."""
    kept: Any = model.history  # type: ignore[attr-defined]
    pk = model._meta.pk.attname
    records = kept.filter(history_date__lte=moment).order_by("history_id")
    return {getattr(record, pk): record for record in records}


def was_there(row: Model, then: dict[int, Any]) -> bool:
    """A row whose beginning nobody saw has always been there, as it is."""
    if row.pk in then:
        return bool(then[row.pk].history_type != "-")
    return not history.records(type(row), row.pk).filter(history_type="+").exists()


def back_to(model: type[Model], record: Any, row: Model | None) -> Change:
    created = row is None
    keep = history.kept_on_restore(model)
    if model is ApiKey:
        keep = (*keep, "expires_at")
    row = row if row is not None else model(pk=record.id)
    # A new row's own defaults are no news.
    details = (
        []
        if created
        else [
            Detail(one.field, one.before, one.after)
            for one in history.differences(row, record, keep)
        ]
    )
    history.take_over(row, record, keep)
    outcome = Outcome.UNCHANGED
    if created or details:
        outcome = Outcome.CREATED if created else Outcome.CHANGED
    rows = (row,) if outcome is not Outcome.UNCHANGED else ()
    return Change(label_of(row), outcome, tuple(details), rows)


def switch_off(row: Model, gone: list[Model], home: Tier) -> Change:
    """Not deleted, since a stored key, or versions, could not be brought back; and
    moved out of a tier that goes."""
    details = []
    for name, off in getattr(row, "out_of_use", {}).items():
        if (value := getattr(row, name)) != off:
            details.append(Detail(name, str(value), str(off)))
            setattr(row, name, off)
    if isinstance(row, Backend) and row.tier in gone:
        details.append(Detail("tier", str(row.tier), str(home)))
        row.tier = home
    return change_of(label_of(row), row, details)


def prices_back(moment: datetime, now: datetime) -> Iterator[Change]:
    """Prices are never undone, since costs were counted by them: a new one follows."""
    then = in_effect(as_of(Price, moment).values(), moment)
    today = in_effect(Price.objects.all(), now)
    for pk, old in then.items():
        new = today.get(pk)
        backend = Backend.objects.filter(pk=pk).first()
        if backend is None or new is None or amounts(old) == amounts(new):
            continue
        values = dict(zip(PRICE, amounts(old), strict=True))
        source = f"restored as of {moment:%Y-%m-%d %H:%M:%S}"
        row = Price(backend=backend, effective_from=now, source=source, **values)
        details = tuple(
            Detail(name, str(before), str(after))
            for name, before, after in zip(
                PRICE, amounts(new), amounts(old), strict=True
            )
            if before != after
        )
        yield Change(f"price of {backend}", Outcome.CHANGED, details, (row,))


def in_effect(prices: Any, moment: datetime) -> dict[int, Any]:
    """The price of each backend, by the backend's id."""
    found: dict[int, Any] = {}
    for price in sorted(prices, key=lambda price: price.effective_from):
        deleted = getattr(price, "history_type", "") == "-"
        if price.effective_from <= moment and not deleted:
            found[price.backend_id] = price
    return found


def amounts(price: Any) -> list[Any]:
    return [getattr(price, name) for name in PRICE]


def label_of(row: Model) -> str:
    if isinstance(row, RoutingPolicy):
        return "policy"
    if isinstance(row, Tier):
        return f"tier {row.rank}"
    return f"{row._meta.verbose_name} {row}"
