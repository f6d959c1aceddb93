"""Shapes of fields that recur in the policy."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

# What arithmetic with whole nano-dollars and with dates can bear: a hundred years, and
# what a budget's counter holds. By the ends of the fields' names.
AT_MOST = {"_seconds": 100 * 366 * 86_400, "_usd": 1_000_000_000}


def share(
    default: float, help_text: str, most: float = 1.0
) -> "models.FloatField[float, float]":
    """A part of a whole: 0 to `most`."""
    return models.FloatField(
        default=default,
        validators=[MinValueValidator(0.0), MaxValueValidator(most)],
        help_text=help_text,
    )


def seconds(
    default: float, help_text: str, least: float = 0.05
) -> "models.FloatField[float, float]":
    return models.FloatField(
        default=default, validators=[MinValueValidator(least)], help_text=help_text
    )


def count(
    default: int, help_text: str, least: int = 1
) -> "models.PositiveIntegerField[int, int]":
    return models.PositiveIntegerField(
        default=default, validators=[MinValueValidator(least)], help_text=help_text
    )


def dollars(default: float, help_text: str) -> "models.FloatField[float, float]":
    return models.FloatField(
        default=default, validators=[MinValueValidator(0.0)], help_text=help_text
    )


def backend_name(help_text: str) -> "models.CharField[str, str]":
    """By name, so that a backend may go and come back; empty: none."""
    return models.CharField(max_length=128, blank=True, help_text=help_text)


def check_at_most(row: models.Model) -> None:
    """Refuse amounts that nothing could be reckoned with."""
    told = {
        field.name: f"Ensure this value is less than or equal to {most}."
        for unit, most in AT_MOST.items()
        for field in row._meta.fields
        if field.name.endswith(unit) and getattr(row, field.name) > most
    }
    if told:
        raise ValidationError(told)
