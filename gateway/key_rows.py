"""Keys of clients, and the link by which the first administrator is made."""

import hashlib
import secrets
from collections.abc import Collection
from datetime import timedelta
from zlib import crc32

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from simple_history.models import HistoricalRecords

from gateway.limit_rows import Limited, Team
from routing.models import RoutingPolicy, Tier
from routing.models.seen import OF_NAMES, check_seen

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
    # A key that was revoked must not come back with an old version.
    kept_on_restore = ("prefix", "created_at", "revoked_at")

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

    def clean(self) -> None:
        check_seen(self, "name", beside=OF_NAMES)
        check_seen(self, "allowed_models")
        if told := self.out_of_reach(Tier.objects.values_list("rank", flat=True)):
            raise ValidationError(told)

    def out_of_reach(self, ranks: Collection[int]) -> dict[str, str]:
        """The bound that leaves no tier to its requests, with a sentence. None while
        there are no tiers: a key may come before them."""
        least, most = self.min_tier or 0, self.max_tier
        if not ranks or (most is not None and least > most):  # the constraint tells
            return {}
        above = [rank for rank in ranks if rank >= least]
        if not above:
            told = f"No tier is that high: the highest is {max(ranks)}."
            return {"min_tier": told}
        if most is None or min(above) <= most:
            return {}
        if self.min_tier is None:
            told = f"No tier is that low: the lowest is {min(ranks)}."
        else:
            told = f"There is no tier from {least} to {most}."
        return {"max_tier": told}

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
