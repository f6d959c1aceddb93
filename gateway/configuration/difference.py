"""What a configuration would change, as values that can be shown and saved."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from django.db.models import Model

from gateway.configuration.schema import Keys
from gateway.models import Team
from routing.models import Backend, Tier


class Outcome(Enum):
    CREATED = "+"
    CHANGED = "~"
    UNCHANGED = "="
    NOT_IN_FILE = "-"


@dataclass(frozen=True, slots=True)
class Detail:
    """One value before and after, as people read it; secrets are masked."""

    key: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one thing; `rows` are to be saved, in this order, and `gone` to
    be deleted."""

    label: str
    outcome: Outcome
    details: tuple[Detail, ...] = ()
    rows: tuple[Model, ...] = ()
    gone: tuple[Model, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """All changes of an import, and what else its operator should know."""

    changes: tuple[Change, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not any(change.rows or change.gone for change in self.changes)


def change_of(label: str, row: Model, details: list[Detail], *more: Model) -> Change:
    """The change of `row`, which already holds its new values, and rows behind it."""
    created = is_new(row)
    saved = (row, *more) if created or details else ()
    if created:
        outcome = Outcome.CREATED
    else:
        outcome = Outcome.CHANGED if saved else Outcome.UNCHANGED
    return Change(label, outcome, tuple(details), saved)


def assign(row: Model, values: Mapping[str, object], keys: Keys) -> list[Detail]:
    """Give `row` the values, by column, and tell which of them it didn't have."""
    names = {rule.column: key for key, rule in keys.items()}
    details = []
    for column, value in values.items():
        before = getattr(row, column, None)  # a new backend has no tier to ask for
        if before != value:
            details.append(Detail(names[column], shown(before), shown(value)))
            setattr(row, column, value)
    return details


def is_new(row: Model) -> bool:
    return row._state.adding


def shown(value: object) -> str:
    match value:
        case None | "":
            return "none"
        case bool():
            return str(value).lower()
        case Tier():
            return str(value.rank)
        case Backend() | Team():
            return value.name
        case Decimal():
            return f"{value.normalize():f}"
        case float():
            return str(value).removesuffix(".0")
    return str(value)
