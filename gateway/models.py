"""The books: request log, attempts, totals. Django finds all other rows here too."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from gateway.cache_rows import (
    CacheEntry,
    CacheLevelOff,
    CacheProof,
    CachePurge,
    LearnedAlias,
    StoredAnswer,
)
from gateway.content_rows import RequestContent
from gateway.key_rows import ApiKey, SetupToken
from gateway.limit_rows import LimitCounter, LimitHold, SpendDay, Team
from gateway.measured_rows import MeasuredDay
from gateway.placed_rows import PlacedHour
from gateway.usage_rows import UsageRollup

__all__ = [
    "ApiKey",
    "Attempt",
    "CacheEntry",
    "CacheLevelOff",
    "CacheProof",
    "CachePurge",
    "RequestContent",
    "LearnedAlias",
    "LimitCounter",
    "LimitHold",
    "MeasuredDay",
    "PlacedHour",
    "RequestLog",
    "SetupToken",
    "SpendDay",
    "StoredAnswer",
    "Team",
    "UsageRollup",
    "UsageTotal",
]


class RequestLog(models.Model):
    """One request of a client and what became of it. Never holds its text.

    Names are copies, not foreign keys: deleting a backend or key keeps history.
    """

    request_id = models.CharField(max_length=64, unique=True)
    at = models.DateTimeField(db_index=True)
    scope = models.CharField(max_length=160)
    key_name = models.CharField(max_length=100, blank=True)
    team = models.CharField(max_length=100, blank=True)
    endpoint = models.CharField(max_length=40)
    dialect = models.CharField(max_length=10)
    stream = models.BooleanField(default=False)
    model_asked = models.CharField(max_length=200)
    status = models.PositiveSmallIntegerField(help_text="HTTP status; 499: client left")
    outcome = models.CharField(max_length=16)
    error_code = models.CharField(max_length=64, blank=True)
    cache = models.CharField(max_length=8)
    cache_level = models.CharField(max_length=10, blank=True)
    answered_by = models.CharField(
        max_length=64, blank=True, help_text="The request whose call was reused."
    )
    score = models.PositiveSmallIntegerField(null=True)
    tier = models.PositiveSmallIntegerField(null=True)
    backend = models.CharField(max_length=128, blank=True)
    model_served = models.CharField(max_length=200, blank=True)
    prompt_tokens = models.PositiveBigIntegerField(default=0)
    completion_tokens = models.PositiveBigIntegerField(default=0)
    cached_tokens = models.PositiveBigIntegerField(default=0)
    reasoning_tokens = models.PositiveBigIntegerField(default=0)
    estimated = models.BooleanField(default=False)
    cost_nano = models.BigIntegerField(default=0)
    saved_nano = models.BigIntegerField(default=0)
    latency_ms = models.FloatField(default=0)
    first_byte_ms = models.FloatField(null=True)
    overhead_ms = models.FloatField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    arm = models.CharField(
        max_length=8,
        blank=True,
        help_text="routed or holdout: its group where savings are measured.",
    )
    unaccepted = models.BooleanField(
        default=False,
        help_text="In a group, and its answer was asked for again or found bad.",
    )
    tags = models.JSONField(default=list, help_text="Labels the client gave.")
    decisions = models.JSONField(default=list, help_text="Each decision, in order.")
    facts = models.JSONField(
        null=True, help_text="What it takes to decide once more: gateway.whatif.facts."
    )

    class Meta:
        ordering = ("-id",)
        verbose_name = "request"
        permissions = [("export_requestlog", "Can export requests")]
        indexes = [
            models.Index(fields=("scope", "-id"), name="request_by_scope"),
            models.Index(fields=("cache", "-id"), name="request_by_cache"),
            models.Index(
                fields=("-id",), condition=~Q(error_code=""), name="failed_request"
            ),
        ]

    def __str__(self) -> str:
        return self.request_id


class Attempt(models.Model):
    """One call to a provider that may be billed; exactly one row each."""

    class State(models.TextChoices):
        BILLED = "billed", "Billed (usage reported)"
        ESTIMATED = "estimated", "Estimated (usage not reported)"
        UNKNOWN = "unknown", "Unknown (the outcome was never seen)"
        FREE = "free", "Not billed (refused or never sent)"

    attempt_id = models.CharField(max_length=64, unique=True)
    request_id = models.CharField(max_length=64, db_index=True)
    at = models.DateTimeField(db_index=True)
    number = models.PositiveSmallIntegerField(default=1)
    scope = models.CharField(max_length=160)
    backend = models.CharField(max_length=128)
    provider = models.CharField(max_length=32)
    model = models.CharField(max_length=200)
    tier = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=9, choices=State)
    status = models.PositiveSmallIntegerField(null=True)
    error_code = models.CharField(max_length=64, blank=True)
    prompt_tokens = models.PositiveBigIntegerField(default=0)
    completion_tokens = models.PositiveBigIntegerField(default=0)
    cached_tokens = models.PositiveBigIntegerField(default=0)
    cache_write_tokens = models.PositiveBigIntegerField(default=0)
    cache_write_1h_tokens = models.PositiveBigIntegerField(
        default=0, help_text="The part of them that is to be kept for an hour."
    )
    reasoning_tokens = models.PositiveBigIntegerField(default=0)
    price = models.JSONField(
        null=True, help_text="The price used, nano-USD per million tokens."
    )
    cost_nano = models.BigIntegerField(default=0)
    latency_ms = models.FloatField(default=0)
    first_byte_ms = models.FloatField(null=True)

    class Meta:
        ordering = ("-id",)
        permissions = [("export_attempt", "Can export attempts")]
        indexes = [models.Index(fields=("state", "-id"), name="attempt_by_state")]

    def __str__(self) -> str:
        return f"{self.backend} {self.state}"


class UsageTotal(models.Model):
    """Sums of the request log per day and kind; they outlive the log's retention."""

    day = models.DateField()
    scope = models.CharField(max_length=160)
    backend = models.CharField(max_length=128, blank=True)
    tier = models.PositiveSmallIntegerField(default=0)
    cache = models.CharField(max_length=8)
    requests = models.PositiveBigIntegerField(default=0)
    errors = models.PositiveBigIntegerField(default=0)
    prompt_tokens = models.PositiveBigIntegerField(default=0)
    completion_tokens = models.PositiveBigIntegerField(default=0)
    spent_nano = models.BigIntegerField(default=0, validators=[MinValueValidator(0)])
    saved_nano = models.BigIntegerField(default=0)

    class Meta:
        ordering = ("-day",)
        constraints = [
            models.UniqueConstraint(
                fields=("day", "scope", "backend", "tier", "cache"),
                name="one_total_per_kind",
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.scope} {self.backend}"
