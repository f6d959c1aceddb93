"""What somebody thought of an answer."""

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Feedback(models.Model):
    """What somebody thought of an answer."""

    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    scope = models.CharField(max_length=160, db_index=True)
    request_id = models.CharField(
        max_length=64, blank=True, help_text="Empty when only score and tier came."
    )
    score = models.FloatField(help_text="The router's score, 0 to 1.")
    tier = models.PositiveSmallIntegerField()
    quality = models.FloatField(help_text="0 is useless, 1 is perfect.")
    weight = models.FloatField(
        default=1.0, help_text="1 by request id, 0.1 in the reference's form."
    )

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "feedback"
        constraints = [
            models.UniqueConstraint(
                fields=("request_id",),
                condition=~Q(request_id=""),
                name="one_vote_per_request",
            ),
            models.CheckConstraint(
                condition=Q(quality__gte=0, quality__lte=1)
                & Q(score__gte=0, score__lte=1),
                name="feedback_within_0_and_1",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quality:.2f} for tier {self.tier}"
