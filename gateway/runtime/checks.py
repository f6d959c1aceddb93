"""Rows that contradict each other, or that no form would take, whoever wrote them."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import isfinite

from django.core.exceptions import ValidationError
from django.db.models import CharField, IntegerField, Model

from routing.catalog import Tier
from routing.models.addresses import ForbiddenUrl


class InvalidConfiguration(ValueError):
    """The rows contradict each other; the message tells an operator what to mend."""


def check_tiers(tiers: tuple[Tier, ...]) -> None:
    """Thresholds must rise from tier to tier; only the last has none."""
    previous = -1
    for tier in tiers[:-1]:
        if tier.max_score is None:
            raise InvalidConfiguration(
                f"Tier {tier.rank} has no highest score, but it is not the last tier."
            )
        if tier.max_score <= previous:
            raise InvalidConfiguration(
                f"Tier {tier.rank} ends at score {tier.max_score}, which is not above "
                f"the tier below it ({previous})."
            )
        previous = tier.max_score


def check_row(row: Model, name: str) -> None:
    """Refuse what the admin's form would have refused, whoever wrote the row."""
    check_fields(row, name)
    with refusing(name), suppress(ForbiddenUrl):
        row.clean()


def check_fields(row: Model, name: str) -> None:
    """The part of it that looks at each value alone."""
    relations = [field.name for field in row._meta.fields if field.is_relation]
    with refusing(name):
        row.clean_fields(exclude=relations)
    for column, value in vars(row).items():
        if isinstance(value, float) and not isfinite(value):
            raise InvalidConfiguration(f"{name} is invalid. {column}: {value}.")


@contextmanager
def refusing(name: str) -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        problems = " ".join(
            f"{field}: {' '.join(messages)}"
            for field, messages in error.message_dict.items()
        )
        raise InvalidConfiguration(f"{name} is invalid. {problems}") from error


def check_types(row: Model, name: str) -> None:
    """SQLite keeps a word in a column of numbers. Cheap: there may be many rows."""
    for column in row._meta.concrete_fields:
        value = getattr(row, column.attname)
        if isinstance(column, CharField):
            fits = isinstance(value, str)
        else:
            fits = not isinstance(column, IntegerField) or isinstance(value, int)
        if not fits and value is not None:
            problem = f"{column.name}: {value!r} is of the wrong type."
            raise InvalidConfiguration(f"{name} is invalid. {problem}")
