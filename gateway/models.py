"""Keys of clients, and the books: request log, attempts, totals."""

import hashlib
import secrets
from datetime import timedelta
from zlib import crc32

from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from simple_history.models import HistoricalRecords

from gateway.cache_rows import (
    CacheEntry,
    CacheLevelOff,
    CacheProof,
    CachePurge,
    LearnedAlias,
    StoredAnswer,
)
from gateway.content_rows import RequestContent
from gateway.limit_rows import LimitCounter, Limited, SpendDay, Team
from gateway.measured_rows import MeasuredDay
from gateway.usage_rows import UsageRollup
from routing.models import RoutingPolicy

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
    "MeasuredDay",
    "RequestLog",
    "SetupToken",
    "SpendDay",
    "StoredAnswer",
    "Team",
    "UsageRollup",
    "UsageTotal",
]

KEY_PREFIX = "sk-llmr-"
SHOWN_CHARS = len(KEY_PREFIX) + 4


def digest_of(secret: str) -> str:
    """How a key is stored and looked up. High entropy needs no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def new_secret() -> str:
    """`sk-llmr-`, 192 random bits, and a checksum that tells a typo from a guess."""
    body = secrets.token_urlsafe(24)
    return f"{KEY_PREFIX}{body}{crc32(body.encode()):08x}"


class ApiKey(Limited):
    """What a client shows to use the gateway. Only its SHA-256 is kept."""

    name = models.CharField(max_length=100, unique=True)
    team = models.ForeignKey(
        Team,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="keys",
        help_text="Keys of one team share cached answers, see each other's numbers "
        "and are held to the team's limits beside their own.",
    )
    prefix = models.CharField(max_length=20, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    max_tier = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Requests are never routed above this tier."
    )
    min_tier = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Requests are never routed below this tier."
    )
    allowed_models = models.CharField(
        max_length=1000,
        blank=True,
        db_default="",
        help_text="Names or globs of backends or their models, separated by commas, "
        "such as: haiku, gpt-*-mini. Empty: all of them.",
    )
    may_pin = models.BooleanField(
        default=True, help_text="May choose a backend or tier by name or header."
    )
    contents = models.CharField(
        max_length=10,
        blank=True,
        db_default="",
        choices=RoutingPolicy.Contents,
        help_text="How much of its requests the log keeps. Empty: as the policy says.",
    )
    max_in_flight = models.PositiveIntegerField(
        default=0, help_text="Requests at the same time; 0 means no bound of its own."
    )

    # The digest stays out: a key that was replaced must not come back.
    history = HistoricalRecords(excluded_fields=["digest"])

    class Meta:
        ordering = ("name",)
        verbose_name = "API key"
        constraints = [
            models.CheckConstraint(
                condition=Q(max_tier__isnull=True)
                | Q(min_tier__isnull=True)
                | Q(max_tier__gte=models.F("min_tier")),
                name="key_floor_below_ceiling",
                violation_error_message="The lowest tier is above the highest.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}...)"

    @property
    def scope(self) -> str:
        """Who may share this key's answers: its team when it has one, else itself."""
        return f"team:{self.team.name}" if self.team else f"key:{self.pk}"

    @property
    def models_allowed(self) -> tuple[str, ...]:
        """The globs of `allowed_models`."""
        parts = (part.strip() for part in self.allowed_models.split(","))
        return tuple(part for part in parts if part)

    @classmethod
    def issue(
        cls, name: str, *, team: str = "", **fields: object
    ) -> "tuple[ApiKey, str]":
        """A new key and, this once, its secret. A team that is new is made."""
        key = cls(name=name, **fields)
        secret = key.take_secret()
        with transaction.atomic():
            key.team = Team.named(team) if team else None
            key.full_clean()
            key.save()
        return key, secret

    def take_secret(self) -> str:
        """Give this key a secret and return it; only its digest stays here."""
        secret = new_secret()
        self.prefix, self.digest = secret[:SHOWN_CHARS], digest_of(secret)
        return secret


class SetupToken(models.Model):
    """A one-time link by which the first administrator is made."""

    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()

    @classmethod
    def issue(cls, lifetime: timedelta = timedelta(hours=24)) -> str:
        """Replace any earlier token and return the new one, shown once."""
        token = secrets.token_urlsafe(32)
        cls.objects.all().delete()
        cls.objects.create(
            digest=digest_of(token), expires_at=timezone.now() + lifetime
        )
        return token

    def __str__(self) -> str:
        return f"valid until {self.expires_at:%Y-%m-%d %H:%M}"


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
    tags = models.JSONField(default=list, help_text="Labels the client gave.")
    decisions = models.JSONField(default=list, help_text="Each decision, in order.")

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
