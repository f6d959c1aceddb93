"""What the model names of clients mean here."""

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from routing.models.backends import Backend, Tier
from routing.models.seen import check_seen, is_stored


class ModelAlias(models.Model):
    """What a model name sent by a client means here."""

    position = models.PositiveSmallIntegerField(
        default=100, help_text="Lower numbers are tried first."
    )
    pattern = models.CharField(
        max_length=200,
        unique=True,
        help_text="A name or a glob such as claude-*haiku*; case matters.",
    )
    tier = models.ForeignKey(Tier, models.CASCADE, null=True, blank=True)
    backend = models.ForeignKey(Backend, models.CASCADE, null=True, blank=True)

    history = HistoricalRecords()

    class Meta:
        ordering = ("position", "pattern")
        verbose_name_plural = "model aliases"
        constraints = [
            models.CheckConstraint(
                condition=Q(tier__isnull=True, backend__isnull=False)
                | Q(tier__isnull=False, backend__isnull=True),
                name="alias_means_a_tier_or_a_backend",
                violation_error_message="Choose a tier or a backend, one of them.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.pattern} -> {self.backend or self.tier}"

    def clean(self) -> None:
        check_seen(self, "pattern")
        # One that is stored stays: a backend may have got its name since.
        if is_stored(self, "pattern"):
            return
        ranks = Tier.objects.values_list("rank", flat=True)
        names = Backend.objects.filter(name=self.pattern).values_list("name", flat=True)
        if told := taken(self.pattern, ranks, names):
            raise ValidationError({"pattern": told})


def taken(pattern: str, ranks: Iterable[int], names: Iterable[str]) -> str:
    """Why an alias of that pattern could never act; "" when it can."""
    if pattern == "auto":
        meaning = "leaves the choice to the router"
    elif any(pattern == f"tier-{rank}" for rank in ranks):
        meaning = "means exactly that tier"
    elif pattern in names:
        meaning = "is a backend's name, which means exactly that backend"
    else:
        return ""
    return f"{pattern} {meaning}, whatever an alias says. Choose another pattern."
