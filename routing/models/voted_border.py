"""Where a tier's scores end for one scope, by its votes."""

from django.db import models
from django.db.models import Q


class VotedBorder(models.Model):
    """Up to which score a tier answers a scope's requests while no router decides.

    It counts while `base` is what the tier itself says, and with learning `auto`.
    """

    scope = models.CharField(max_length=160)
    tier = models.PositiveSmallIntegerField()
    base = models.PositiveSmallIntegerField(help_text="What the tier said then.")
    border = models.PositiveSmallIntegerField(
        help_text="The same when nothing is sure."
    )
    votes = models.FloatField(
        help_text="On this tier; one without a request id is 0.1."
    )
    votes_above = models.FloatField(help_text="On the tier above it.")
    newest = models.BigIntegerField(help_text="Key of the last vote that counted.")

    class Meta:
        ordering = ("scope", "tier")
        constraints = [
            models.UniqueConstraint(
                fields=("scope", "tier"), name="one_border_per_scope_and_tier"
            ),
            models.CheckConstraint(
                condition=Q(border__lte=100), name="a_border_is_a_score"
            ),
        ]

    def __str__(self) -> str:
        return f"tier {self.tier} for {self.scope}"
