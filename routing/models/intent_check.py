"""Whether intents know something: what simulations on judged prompts said."""

from typing import Any

from django.db import models
from django.utils import timezone


class IntentCheck(models.Model):
    """What a simulation on judged prompts said of the intents."""

    at = models.DateTimeField(default=timezone.now, editable=False)
    rows = models.PositiveIntegerField()
    report: "models.JSONField[dict[str, Any], Any]" = models.JSONField(default=dict)
    objections = models.JSONField(default=list)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}"

    @classmethod
    def why_not(cls) -> str:
        """Why intents must not decide; empty when the newest check has passed."""
        newest = cls.objects.first()
        if newest is None:
            return (
                "The intents have not been shown to beat static tiers: run "
                "manage.py check_intents --data FILE.jsonl first."
            )
        return " ".join(map(str, newest.objections))
