"""What the log keeps, and for how long."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models


class Records(models.Model):
    class Contents(models.TextChoices):
        OFF = "off", "Off: money and times, neither tags nor decisions"
        METADATA = "metadata", "Metadata: tags and decisions, no text"
        TRUNCATED = "truncated", "Truncated: also the beginning of each text"
        FULL = "full", "Full: prompts and answers"

    log_retention_days = models.PositiveIntegerField(
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(36_500)],
        help_text="Request and attempt rows older than this are deleted; totals stay.",
    )
    contents = models.CharField(
        max_length=10,
        choices=Contents,
        default=Contents.METADATA,
        help_text="How much of prompts and answers the log keeps, redacted. A key may "
        "say otherwise.",
    )
    contents_chars = models.PositiveIntegerField(
        default=500,
        validators=[MinValueValidator(1), MaxValueValidator(100_000)],
        help_text="What is kept of each text where it is truncated.",
    )
    contents_retention_days = models.PositiveIntegerField(
        default=7,
        validators=[MinValueValidator(1), MaxValueValidator(36_500)],
        help_text="Stored texts older than this are deleted.",
    )

    class Meta:
        abstract = True
