"""When providers turn their models off."""

from django.db import models
from simple_history.models import HistoricalRecords

from routing.providers import PROVIDERS


class Retirement(models.Model):
    """A day from which a provider serves some of its models no more."""

    provider = models.CharField(
        max_length=32, choices=[(name, name) for name in PROVIDERS]
    )
    names = models.CharField(
        "models",
        max_length=1000,
        help_text="Names or globs of its models, separated by commas, such as: gpt-5, "
        "gpt-5-2025-*. Case matters.",
    )
    day = models.DateField(help_text="The first day without them.")
    source = models.CharField(
        max_length=300, blank=True, help_text="Where the provider says so."
    )
    confirmed_on = models.DateField(
        null=True,
        blank=True,
        help_text="When somebody read the day at its source. Empty: it came with the "
        "gateway, whose authors had it from excerpts that a search showed of that "
        "page, and nobody here has looked.",
    )

    history = HistoricalRecords()

    class Meta:
        ordering = ("day", "provider", "id")
        verbose_name = "retirement of models"
        verbose_name_plural = "retirements of models"

    def __str__(self) -> str:
        return f"{self.provider}: {self.names} on {self.day}"
