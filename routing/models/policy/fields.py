"""Shapes of fields that recur in the policy."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models


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
