"""Cheap first: when an answer is checked before it is served."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from routing.models.policy.fields import backend_name, share


class CheapFirst(models.Model):
    class Cascade(models.TextChoices):
        NONE = "none", "No answer is checked"
        WHOLE = "whole", "Whole answers are checked before they are served"
        ALL = "all", "Streams too, by their first words"

    class CascadeCheck(models.TextChoices):
        FORM = "form", "Its form only: JSON, schema, refusals, empty or cut off"
        LOGPROBS = "logprobs", "Also the probability of its tokens, where one is given"
        AGREEMENT = "agreement", "Also whether a second cheap answer agrees"
        JUDGE = "judge", "Also a judge backend's word"

    cascade = models.CharField(
        max_length=5,
        choices=Cascade,
        default=Cascade.NONE,
        help_text="Requests that are uncertain between two tiers are answered by the "
        "cheaper one first; in doubt of its answer the other one answers.",
    )
    cascade_band = share(
        0.1,
        help_text="How near two tiers must be: 0.1 is 10 % of quality for a router, or "
        "10 points of the score without one.",
    )
    cascade_check = models.CharField(
        max_length=9,
        choices=CascadeCheck,
        default=CascadeCheck.FORM,
        help_text="What is looked at. Of streams that begin to flow: refusals, and "
        "the probability of tokens.",
    )
    cascade_confidence = share(
        0.6,
        help_text="The mean probability or agreement that tells nothing. A router's "
        "expectation is moved by what is measured; without one, less is a doubt.",
    )
    cascade_judge = backend_name(help_text="The backend that judges.")
    cascade_window = models.PositiveIntegerField(
        default=200,
        validators=[MinValueValidator(1), MaxValueValidator(10_000)],
        help_text="Characters of a stream that are held back at most.",
    )
    cascade_hold_seconds = models.FloatField(
        default=1.5,
        validators=[MinValueValidator(0.0), MaxValueValidator(30.0)],
        help_text="How long a stream is held back at most.",
    )

    class Meta:
        abstract = True
