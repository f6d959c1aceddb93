"""The configuration of an earlier moment, from the history of its rows.

Tiers, backends, prices, aliases and the policy. Keys and teams are left alone: an old
configuration must not let anybody in again; they are restored one by one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Model

from gateway.configuration.apply import apply
from gateway.configuration.difference import Change, Detail, Outcome, Plan, change_of
from gateway.configuration.problems import ConfigurationError
from gateway.configuration.report import describe
from routing import history
from routing.models import Backend, ModelAlias, Price, RoutingPolicy, Tier

# In the order in which rows need each other.
MODELS: tuple[type[Model], ...] = (Tier, Backend, ModelAlias, RoutingPolicy)
PRICE = ("input", "output", "cache_read", "cache_write", "longer")


@dataclass(frozen=True, slots=True)
class Restoration:
    """What a restoring would do: rows to save, and those that were not there then."""

    plan: Plan
    aliases: tuple[Model, ...]
    tiers: tuple[Model, ...]

    @property
    def is_empty(self) -> bool:
        return self.plan.is_empty and not self.aliases and not self.tiers

    def describe(self) -> Iterator[str]:
        for row in (*self.aliases, *self.tiers):
            yield f"- {label_of(row)}: it was not there then, and goes"
        yield from describe(self.plan)


def plan_restore(moment: datetime, now: datetime) -> Restoration:
    """Compare the rows with what they were at `moment`. Reads rows, writes none.

    Raises ConfigurationError when there was no tier then.
    """
    changes: list[Change] = []
    new: dict[type[Model], list[Model]] = {}
    for model in MODELS:
        then = as_of(model, moment)
        rows = {row.pk: row for row in model._default_manager.all()}
        for pk, record in then.items():
            if record.history_type != "-":
                changes.append(back_to(model, record, rows.get(pk)))
        new[model] = [row for row in rows.values() if not was_there(row, then)]
    home = home_of_the_others(new[Tier])
    changes += [switch_off(row, new[Tier], home) for row in new[Backend]]
    changes += prices_back(moment, now)
    return Restoration(Plan(tuple(changes)), tuple(new[ModelAlias]), tuple(new[Tier]))


def apply_restore(restoration: Restoration, moment: datetime) -> None:
    """All of it or nothing. Raises ConfigurationError."""
    reason = f"Restored as of {moment:%Y-%m-%d %H:%M:%S} UTC."
    rows = [row for change in restoration.plan.changes for row in change.rows]
    for row in (*rows, *restoration.aliases, *restoration.tiers):
        row._change_reason = reason  # type: ignore[attr-defined]
    with transaction.atomic():
        for row in restoration.aliases:  # first: an old one may have the same pattern
            row.delete()
        apply(restoration.plan, gone=restoration.tiers)


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
    row = row if row is not None else model(pk=record.id)
    # A new row's own defaults are no news.
    details = (
        []
        if created
        else [
            Detail(one.field, one.before, one.after)
            for one in history.differences(row, record)
        ]
    )
    history.take_over(row, record)
    outcome = Outcome.UNCHANGED
    if created or details:
        outcome = Outcome.CREATED if created else Outcome.CHANGED
    rows = (row,) if outcome is not Outcome.UNCHANGED else ()
    return Change(label_of(row), outcome, tuple(details), rows)


def switch_off(row: Model, gone: list[Model], home: Tier) -> Change:
    """Not deleted, since a stored key could not be brought back; and moved out of a
    tier that goes."""
    assert isinstance(row, Backend)  # noqa: S101 - for the types alone
    details = []
    if row.state != Backend.State.DISABLED:
        details.append(Detail("state", row.state, Backend.State.DISABLED))
        row.state = Backend.State.DISABLED
    if row.tier in gone:
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
