"""Write a plan into the database: all of it or nothing."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model

from gateway.configuration.difference import Plan
from gateway.configuration.problems import ConfigurationError


def apply(plan: Plan, gone: Sequence[Model] = ()) -> None:
    """Raises ConfigurationError, with nothing written, when a row refuses.

    `gone` are deleted once nothing of the plan needs them any more."""
    with transaction.atomic():
        for change in plan.changes:
            for row in change.rows:
                _save(row, change.label)
            for row in change.gone:
                row.delete()
        for row in gone:
            row.delete()
        # Rules between rows, such as rising thresholds, hold once all are written.
        for change in plan.changes:
            for row in change.rows:
                _check(row, change.label)


def _save(row: Model, label: str) -> None:
    for field in row._meta.concrete_fields:
        if field.is_relation:  # a row saved a moment ago has its number only now
            setattr(row, field.name, getattr(row, field.name))
    try:
        row.clean_fields()
        row.validate_unique()
        row.validate_constraints()
    except ValidationError as error:
        raise _refused(label, error) from None
    row.save()


def _check(row: Model, label: str) -> None:
    try:
        row.clean()
    except ValidationError as error:
        raise _refused(label, error) from None


def _refused(label: str, error: ValidationError) -> ConfigurationError:
    return ConfigurationError(f"{label}: {message}" for message in error.messages)
