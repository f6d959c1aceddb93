"""Rows from which savings are measured."""

from django.db import models


class MeasuredDay(models.Model):
    """Sums of a day's requests that a holdout was drawn among, per group."""

    class Arm(models.TextChoices):
        ROUTED = "routed", "Routed"
        HOLDOUT = "holdout", "Sent to the baseline"
        DECIDING = "deciding", "The gateway's own: audits and judges"

    day = models.DateField()
    scope = models.CharField(max_length=160)
    arm = models.CharField(max_length=8, choices=Arm)
    requests = models.PositiveBigIntegerField(default=0)
    cost_nano = models.BigIntegerField(default=0)
    cost_squares = models.FloatField(
        default=0, help_text="Sum of the squares of each request's cost in micro-USD."
    )
    saved_nano = models.BigIntegerField(default=0, help_text="As priced again.")
    unanswered = models.PositiveBigIntegerField(
        default=0, help_text="Failed, or left by their client."
    )
    asked_again = models.PositiveBigIntegerField(
        default=0, help_text="Whose question came again at once."
    )
    bad_feedback = models.PositiveBigIntegerField(
        default=0, help_text="Judged below 0.5, and not asked again before."
    )

    class Meta:
        ordering = ("-day",)
        constraints = [
            models.UniqueConstraint(
                fields=("day", "scope", "arm"), name="one_measured_day_per_arm"
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.scope} {self.arm}"
