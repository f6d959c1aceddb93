"""The optional classifier beside the gateway, as in the reference."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from routing.models.policy.fields import share


class Sidecar(models.Model):
    learned_threshold = models.FloatField(
        default=0.5,
        validators=[MinValueValidator(0.01), MaxValueValidator(1.0)],
        help_text="Used while a sidecar is configured: a combined score below 0.6 of "
        "it is tier 1, below it tier 2, else tier 3.",
    )
    sidecar_url = models.CharField(
        max_length=500, blank=True, help_text="Address of a RouteLLM classifier."
    )
    sidecar_weight = share(
        0.7,
        help_text="Share of the sidecar in the combined score; the rest is the "
        "explained 0-100 score.",
    )
    sidecar_budget_seconds = models.FloatField(
        default=0.05,
        validators=[MinValueValidator(0.001), MaxValueValidator(2.0)],
        help_text="How long a request waits for the sidecar before it is decided "
        "without.",
    )

    class Meta:
        abstract = True
