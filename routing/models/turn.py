"""Whose turn it is to train a scope's router, and what came of the last one."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q

LONGEST = timedelta(minutes=10)  # whoever took it longer ago has died


class LearningTurn(models.Model):
    """How far one scope's votes have been learned from."""

    scope = models.CharField(max_length=160, unique=True)
    newest_vote = models.BigIntegerField(
        default=0, help_text="Key of the last vote that was learned from."
    )
    newest_pair = models.BigIntegerField(
        default=0, help_text="Key of the last paired judgement."
    )
    taken_at = models.DateTimeField(null=True, help_text="Empty: nobody is training.")
    note = models.TextField(blank=True, help_text="What came of the last training.")

    class Meta:
        ordering = ("scope",)

    def __str__(self) -> str:
        return self.scope or "everybody"

    @classmethod
    def take(cls, scope: str, now: datetime) -> "LearningTurn | None":
        """Begin; None while another process trains this scope."""
        cls.objects.get_or_create(scope=scope)
        free = Q(taken_at__isnull=True) | Q(taken_at__lt=now - LONGEST)
        taken = cls.objects.filter(free, scope=scope).update(taken_at=now)
        return cls.objects.get(scope=scope) if taken else None

    def release(self) -> None:
        """Stopped halfway: whoever comes next begins anew."""
        self.taken_at = None
        self.save(update_fields=["taken_at"])

    def end(self, newest_vote: int, newest_pair: int, note: str) -> None:
        self.newest_vote, self.newest_pair = newest_vote, newest_pair
        self.note, self.taken_at = note, None
        self.save(update_fields=["newest_vote", "newest_pair", "note", "taken_at"])
