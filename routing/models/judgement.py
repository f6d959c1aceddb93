"""What a cheaper tier's answer was worth beside the baseline's, request by request."""

from django.db import models
from django.utils import timezone


class Judgement(models.Model):
    """Two answers to one request, compared. Neither their text nor the request's is
    here: `row` holds its features, as routing.learned.features packs them."""

    class Verdict(models.TextChoices):
        WORSE = "worse", "The cheaper answer is worse"
        EQUAL = "equal", "As good"
        BETTER = "better", "The cheaper answer is better"

    class Source(models.TextChoices):
        JUDGE = "judge", "A judge backend, blind"
        PERSON = "person", "Somebody who read both"
        CHECK = "check", "A check that needs no judge"

    request_id = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now, db_index=True)
    scope = models.CharField(max_length=160)
    cheap_tier = models.PositiveSmallIntegerField()
    baseline_tier = models.PositiveSmallIntegerField()
    score = models.PositiveSmallIntegerField(
        null=True, help_text="The heuristic's 0 to 100 when it was routed."
    )
    verdict = models.CharField(max_length=6, choices=Verdict)
    source = models.CharField(max_length=6, choices=Source, default=Source.JUDGE)
    tokens = models.PositiveBigIntegerField(help_text="Of the prompt, estimated.")
    row = models.BinaryField()

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=("request_id", "cheap_tier"), name="one_judgement_per_tier"
            )
        ]

    def __str__(self) -> str:
        return f"Tier {self.cheap_tier} for {self.baseline_tier}: {self.verdict}"
