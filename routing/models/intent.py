"""Kinds of requests, and how well each backend has served them."""

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from routing.intent_words import cue_weights, phrases_of, unknown_cue
from routing.models.policy import RoutingPolicy
from routing.models.seen import OF_LINES, check_seen


class Intent(models.Model):
    """A kind of request, told by the words that are typical of it."""

    slug = models.SlugField(max_length=40, unique=True)
    description = models.CharField(max_length=200, blank=True)
    words = models.TextField(
        blank=True,
        help_text="Words, and pairs of neighbouring words, with commas between.",
    )
    cues = models.CharField(
        max_length=300,
        blank=True,
        help_text="Counted cues and what each is worth, such as: tools 2, JSON 1.",
    )
    bias = models.FloatField(
        default=0.0, help_text="What it has before anything is found, in words."
    )
    active = models.BooleanField(default=True)
    cascade = models.CharField(
        max_length=5,
        blank=True,
        choices=[("", "As the policy says"), *RoutingPolicy.Cascade.choices],
        help_text="Cheap first, for requests that this intent leads.",
    )
    cascade_check = models.CharField(
        max_length=9,
        blank=True,
        choices=[("", "As the policy says"), *RoutingPolicy.CascadeCheck.choices],
        help_text="What is looked at; of streams that begin to flow less.",
    )

    history = HistoricalRecords()
    out_of_use: ClassVar = {"active": False}

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.slug

    def clean(self) -> None:
        self.clean_signs()
        judges = self.cascade_check == RoutingPolicy.CascadeCheck.JUDGE
        if judges and not RoutingPolicy.objects.exclude(cascade_judge="").exists():
            message = "The policy names no backend that judges."
            raise ValidationError({"cascade_check": message})
        check_seen(self, "description", "words", beside=OF_LINES)

    def clean_signs(self) -> None:
        """What tells it from others: one that can't be read stops all intents."""
        from routing.learned.features import CUES  # numpy, which few need

        for field, read in (("words", phrases_of), ("cues", cue_weights)):
            try:
                read(getattr(self, field))
            except ValueError as error:
                raise ValidationError({field: str(error)}) from None
        for name in cue_weights(self.cues).keys() - set(CUES):
            message = unknown_cue(name, CUES)
            raise ValidationError({"cues": message})


class Trail(models.Model):
    """What one day's votes of a scope say of a backend for one intent.

    Rows are only ever added to, in the database itself, so that no worker overwrites
    what another counted; older days fade when they are read.
    """

    scope = models.CharField(max_length=160)
    intent = models.ForeignKey(Intent, models.CASCADE)
    tier = models.PositiveSmallIntegerField()
    backend = models.CharField(max_length=128)
    day = models.DateField()
    votes = models.PositiveIntegerField(default=0)
    weight = models.FloatField(default=0.0, help_text="Votes, by share of the intent.")
    reward = models.FloatField(default=0.0, help_text="Their quality, when it is good.")

    class Meta:
        ordering = ("-day", "scope", "intent", "tier", "backend")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("scope", "intent", "tier", "backend", "day"),
                name="one_trail_per_day",
            )
        ]

    def __str__(self) -> str:
        return f"{self.intent} at {self.backend} on {self.day}"


class TrailPin(models.Model):
    """A person's word on a cell: it counts instead of what was learned."""

    scope = models.CharField(
        max_length=160, blank=True, help_text="Empty: for every scope."
    )
    intent = models.ForeignKey(Intent, models.CASCADE)
    tier = models.PositiveSmallIntegerField()
    backend = models.CharField(max_length=128)
    value = models.FloatField(
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text="0 is useless, 1 is perfect.",
    )

    history = HistoricalRecords()

    class Meta:
        ordering = ("scope", "intent", "tier", "backend")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("scope", "intent", "tier", "backend"), name="one_pin_per_cell"
            ),
            models.CheckConstraint(
                condition=Q(value__gte=0, value__lte=1),
                name="a_pin_lies_within_0_and_1",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.intent} at {self.backend}: {self.value:g}"
