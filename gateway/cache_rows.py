"""Rows about the cache: purges, proof, levels that are off, aliases, kept answers."""

from datetime import date

from django.db import models

SCOPE_CHARS = 160
LEVEL_CHARS = 10
KEY_CHARS = 64  # 32 bytes, as hexadecimal digits


class CachePurge(models.Model):
    """Answers stored before this are not given any more, by any worker, in a second.

    All of a scope, or only those to which each further field applies.
    """

    scope = models.CharField(
        max_length=SCOPE_CHARS,
        blank=True,
        help_text="`team:NAME` or `key:ID`; empty: every scope.",
    )
    model = models.CharField(
        max_length=200,
        blank=True,
        help_text="Only answers of this model or backend; empty: of every one.",
    )
    older_than_seconds = models.PositiveIntegerField(
        null=True, blank=True, help_text="Only answers older than this; empty: all."
    )
    request_id = models.CharField(
        max_length=64,
        blank=True,
        help_text="Only the answer that this request bought.",
    )
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        what = self.scope or "every scope"
        if self.request_id:
            what += f", the answer to {self.request_id}"
        if self.model:
            what += f", answers of {self.model}"
        if self.older_than_seconds is not None:
            what += f", older than {self.older_than_seconds:,} s"
        return what

    @property
    def is_whole(self) -> bool:
        """Does it take back everything of its scope?"""
        return not (
            self.model or self.request_id or self.older_than_seconds is not None
        )


class CacheProof(models.Model):
    """What audits found of one level's hits in one scope, since the last reset."""

    scope = models.CharField(max_length=SCOPE_CHARS)
    level = models.CharField(max_length=LEVEL_CHARS)
    right = models.PositiveBigIntegerField(default=0)
    wrong = models.PositiveBigIntegerField(default=0)
    unjudged = models.PositiveBigIntegerField(
        default=0, help_text="Texts that differ, and nobody to compare them."
    )
    day = models.DateField(null=True)
    day_spent_nano = models.BigIntegerField(default=0)

    class Meta:
        ordering = ("scope", "level")
        constraints = [
            models.UniqueConstraint(
                fields=("scope", "level"), name="one_proof_per_level"
            )
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.level}"

    def spent_nano(self, today: date) -> int:
        """What looks at this level cost today, in UTC."""
        return self.day_spent_nano if self.day == today else 0


class CacheLevelOff(models.Model):
    """A level that switched itself off for a scope; deleting the row is the reset."""

    scope = models.CharField(max_length=SCOPE_CHARS)
    level = models.CharField(max_length=LEVEL_CHARS)
    reason = models.CharField(max_length=300)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("scope", "level")
        verbose_name_plural = "cache levels off"
        constraints = [
            models.UniqueConstraint(fields=("scope", "level"), name="one_off_per_level")
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.level}"


class LearnedAlias(models.Model):
    """A judgement of two questions, by their canonical keys; never updated.

    `same` False: they are not to share answers, and nobody is asked again.
    """

    scope = models.CharField(max_length=SCOPE_CHARS)
    wording = models.CharField(max_length=KEY_CHARS)
    root = models.CharField(
        max_length=KEY_CHARS, help_text="The question that it was compared with."
    )
    same = models.BooleanField()
    similarity = models.FloatField()
    judged_by = models.CharField(
        max_length=64, help_text="The request to the judge, or what else decided."
    )
    at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "learned aliases"
        constraints = [
            models.UniqueConstraint(
                fields=("wording", "root"), name="one_judgement_per_pair"
            )
        ]

    def __str__(self) -> str:
        return f"{self.wording[:8]} {'=' if self.same else '≠'} {self.root[:8]}"


class StoredAnswer(models.Model):
    """An answer that survives a restart: each worker's memory is filled from it."""

    key = models.CharField(max_length=KEY_CHARS, unique=True)
    canonical = models.CharField(max_length=KEY_CHARS, blank=True)
    scope = models.CharField(max_length=SCOPE_CHARS)
    request_id = models.CharField(max_length=64, db_index=True)
    entry = models.JSONField()
    expires_at = models.FloatField(db_index=True, help_text="POSIX seconds.")

    def __str__(self) -> str:
        return self.request_id


class CacheEntry(StoredAnswer):
    """The cache as the admin shows it: what its process holds in memory."""

    class Meta:
        proxy = True
        verbose_name_plural = "cache entries"
        default_permissions = ("view",)
