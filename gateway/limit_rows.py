"""Rows about what keys and teams may spend: their limits, and what was spent so far."""

from decimal import Decimal
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from simple_history.models import HistoricalRecords

from routing.models.seen import OF_NAMES, check_seen

HIGHEST_BUDGET = 12  # digits, four of them after the point


def check_time_zone(name: str) -> None:
    """A name of the IANA database, such as `Europe/Zurich`."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValidationError(
            f'There is no time zone "{name}". Give a name such as Europe/Zurich.'
        ) from None


def budget_field(period: str) -> "models.DecimalField[Decimal | None, Decimal | None]":
    return models.DecimalField(
        max_digits=HIGHEST_BUDGET,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text=f"Dollars {period}. Empty: no budget; 0: cached answers only.",
    )


class Limited(models.Model):
    """What both a key and a team may be held to; empty means no limit."""

    requests_per_minute = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Requests in a minute of the clock, cached answers included.",
    )
    tokens_per_minute = models.PositiveBigIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Tokens sent to and got from providers in a minute of the clock.",
    )
    budget_day_usd = budget_field("from midnight to midnight, in the team's time zone")
    budget_week_usd = budget_field("from Monday to Monday")
    budget_month_usd = budget_field("in a calendar month")

    class Meta:
        abstract = True


class Team(Limited):
    """Keys that share cached answers, numbers and, beside their own, limits."""

    name = models.CharField(
        max_length=100,
        unique=True,
        help_text="Its answers and numbers are kept under this name, so that it can't "
        "be changed later.",
    )
    time_zone = models.CharField(
        max_length=64,
        default="UTC",
        validators=[check_time_zone],
        help_text="Days, weeks and months of the budgets begin at midnight here.",
    )

    history = HistoricalRecords()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        check_seen(self, "name", beside=OF_NAMES)

    @classmethod
    def named(cls, name: str) -> "Team":
        """The team of this name, without limits when it is new."""
        if found := Team.objects.filter(name=name).first():
            return found
        team = Team(name=name)
        team.full_clean()
        team.save()
        return team


class SpendDay(models.Model):
    """What a key spent on one day of its team's time zone; weeks and months are sums.

    `key_id` is no foreign key: money outlives what it was spent with. 0: open mode.
    """

    day = models.DateField()
    key_id = models.PositiveBigIntegerField()
    team = models.CharField(max_length=100, blank=True)
    requests = models.PositiveBigIntegerField(default=0)
    errors = models.PositiveBigIntegerField(default=0)
    tokens = models.PositiveBigIntegerField(default=0)
    spent_nano = models.BigIntegerField(default=0)
    saved_nano = models.BigIntegerField(default=0)

    class Meta:
        ordering = ("-day",)
        constraints = [
            models.UniqueConstraint(
                fields=("day", "key_id", "team"), name="one_spend_day_per_key"
            )
        ]
        indexes = [models.Index(fields=("team", "day"), name="spend_by_team")]

    def __str__(self) -> str:
        return f"{self.day} key {self.key_id}"


class LimitCounter(models.Model):
    """What one limit has counted in its present window, where several workers have no
    Redis to count in. `reserved` is set aside for calls whose cost isn't known yet."""

    name = models.CharField(max_length=200, unique=True)
    spent = models.BigIntegerField(default=0)
    reserved = models.BigIntegerField(default=0)
    ends_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.name


class LimitHold(models.Model):
    """What one call has set aside in these counters, until it is settled: a settlement
    is made while its row is there, and so only once.

    `owner` is the journal of the process that makes the call. `asides` are the names of
    counters, each with its amount. `void` is what was settled without having been set
    aside: it can't be any more.
    """

    hold = models.CharField(max_length=64, unique=True)
    owner = models.CharField(max_length=64, blank=True, db_index=True)
    asides = models.JSONField(default=list)
    void = models.BooleanField(default=False)
    ends_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.hold
