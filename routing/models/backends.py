"""Tiers, the backends in them, and what those cost."""

from itertools import pairwise
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import (
    MaxValueValidator,
    MinValueValidator,
    RegexValidator,
)
from django.db import models
from django.utils import timezone
from simple_history.models import HistoricalRecords

from routing import capabilities
from routing.catalog import PriceList
from routing.fields import EncryptedTextField
from routing.models.addresses import clean_url
from routing.models.seen import OF_NAMES, check_seen
from routing.providers import PROVIDERS

NAME = RegexValidator(
    r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*\Z",
    "Use letters, digits and . _ : / @ - only, beginning with a letter or digit.",
)
ENV_NAME = RegexValidator(
    r"^[A-Za-z_][A-Za-z0-9_]*\Z",
    "This is the name of an environment variable, without the $.",
)
RESERVED_NAMES = ("auto",)


class Tier(models.Model):
    rank = models.PositiveSmallIntegerField(
        unique=True,
        validators=[MinValueValidator(1)],
        help_text="1 is the cheapest tier; a higher number is more capable.",
    )
    name = models.CharField(max_length=64, unique=True, help_text="Shown to people.")
    max_score = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(100)],
        help_text="Requests scoring up to this number (0-100) are answered here. "
        "Empty on the highest tier.",
    )

    history = HistoricalRecords()

    class Meta:
        ordering = ("rank",)

    def __str__(self) -> str:
        return f"{self.rank} - {self.name}"

    def clean(self) -> None:
        """Keep the thresholds rising, so that each score means one tier."""
        if not self.rank:  # it failed its own check, which says so
            return
        tiers = [*Tier.objects.exclude(pk=self.pk), self]
        tiers.sort(key=lambda tier: tier.rank)
        for lower, upper in pairwise(tiers):
            problem = threshold_problem(lower, upper)
            if problem and self in (lower, upper):
                raise ValidationError({"max_score": problem})
        check_seen(self, "name", beside=OF_NAMES)


def threshold_problem(lower: Tier, upper: Tier) -> str:
    """What is wrong between two neighbouring tiers, or nothing."""
    if lower.max_score is None:
        return (
            f"Only the highest tier may have no maximum: give {lower} one, lower than "
            "those of the tiers above it."
        )
    if upper.max_score is not None and lower.max_score >= upper.max_score:
        return (
            f"{lower} goes up to {lower.max_score}, so {upper} must end above that, "
            f"not at {upper.max_score}."
        )
    return ""


class Backend(models.Model):
    class State(models.TextChoices):
        ENABLED = "enabled", "Enabled"
        DRAINING = "draining", "Draining (no new requests)"
        DISABLED = "disabled", "Disabled"

    name = models.CharField(
        max_length=128,
        unique=True,
        validators=[NAME],
        help_text="How clients pin it and how logs call it.",
    )
    tier = models.ForeignKey(Tier, models.PROTECT, related_name="backends")
    provider = models.CharField(
        max_length=32,
        choices=[(name, name) for name in PROVIDERS],
        help_text="Decides the wire format, the auth header and the default address.",
    )
    model = models.CharField(
        max_length=200, help_text="The model name that is sent to the provider."
    )
    base_url = models.CharField(
        max_length=500,
        blank=True,
        help_text="With or without /v1. Empty: the provider's own address.",
    )
    api_key_env = models.CharField(
        "API key variable",
        max_length=128,
        blank=True,
        validators=[ENV_NAME],
        help_text="Name of the environment variable that holds the key. Recommended: "
        "nothing secret is then in the database.",
    )
    api_key_value = EncryptedTextField(
        "API key",
        blank=True,
        default="",
        help_text="A key kept encrypted in the database. It can be replaced, never "
        "read. Changing the address clears it.",
    )
    context_window = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Tokens of prompt and answer together that the model can hold. "
        "Longer requests go elsewhere. Empty: unknown.",
    )
    max_output_tokens = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Tokens that one answer can have. A client that asks for more gets "
        "this many. Empty: unknown.",
    )
    max_in_flight = models.PositiveIntegerField(
        default=0, help_text="Requests at the same time; 0 means no bound."
    )
    weight = models.FloatField(
        default=1.0,
        validators=[MinValueValidator(0.01)],
        help_text="Share of traffic among backends of equal price.",
    )
    capabilities = models.CharField(
        max_length=300,
        blank=True,
        default="",
        db_default="",  # rows written by SQL of before go on being possible
        help_text="What it can or can't do, where that differs from its provider: + or "
        f"- before any of {', '.join(capabilities.CAPABILITIES)}; as in +responses "
        "-images.",
    )
    state = models.CharField(
        max_length=8,
        choices=State,
        default=State.ENABLED,
        help_text="Draining finishes what is running and takes nothing new.",
    )
    updated_at = models.DateTimeField(auto_now=True)

    # The key stays out: what is kept for good must hold no secret.
    history = HistoricalRecords(excluded_fields=["api_key_value", "updated_at"])
    out_of_use: ClassVar = {"state": State.DISABLED}

    class Meta:
        ordering = ("tier__rank", "id")

    def __str__(self) -> str:
        return self.name

    def restored(self, changed: set[str]) -> None:
        """History holds no key, and the stored one belongs to its address alone."""
        if changed & {"provider", "base_url"} or self.api_key_env:
            self.api_key_value = ""

    def clean(self) -> None:
        if self.name.lower() in RESERVED_NAMES or self.name.lower().startswith("tier-"):
            raise ValidationError({"name": f"{self.name!r} has a meaning of its own."})
        if self.api_key_env and self.api_key_value:
            raise ValidationError(
                {"api_key_env": "Give the variable or the key itself, not both."}
            )
        try:
            self.capabilities = capabilities.write(
                capabilities.parse(self.capabilities)
            )
        except ValueError as error:
            raise ValidationError({"capabilities": str(error)}) from None
        preset = PROVIDERS.get(self.provider)
        if preset and not (self.base_url or preset.base_url):
            raise ValidationError(
                {"base_url": f"{self.provider} has no address of its own; give one."}
            )
        clean_url(self, "base_url")
        check_seen(self, "model", "base_url")


class Price(models.Model):
    """What a backend charges from a moment on, in nano-USD per million tokens."""

    backend = models.ForeignKey(Backend, models.CASCADE, related_name="prices")
    effective_from = models.DateTimeField(default=timezone.now)
    input = models.PositiveBigIntegerField(help_text="Per million prompt tokens.")
    output = models.PositiveBigIntegerField(help_text="Per million answer tokens.")
    cache_read = models.PositiveBigIntegerField(
        help_text="Per million prompt tokens that the provider read from its cache."
    )
    cache_write = models.PositiveBigIntegerField(
        help_text="Per million prompt tokens that the provider wrote to its cache."
    )
    longer = models.JSONField(
        default=list,
        db_default=[],  # rows written by SQL of before go on being possible
        blank=True,
        help_text="Prices of longer prompts: a list of objects with above (prompt "
        "tokens), input, output, cache_read and cache_write.",
    )
    source = models.CharField(
        max_length=200, default="admin", help_text="Where the numbers come from."
    )

    history = HistoricalRecords()

    class Meta:
        ordering = ("backend", "-effective_from")
        constraints = [
            models.UniqueConstraint(
                fields=("backend", "effective_from"), name="one_price_per_moment"
            )
        ]

    def __str__(self) -> str:
        return f"{self.backend} from {self.effective_from:%Y-%m-%d %H:%M}"

    def value(self) -> PriceList:
        """The row as the request path needs it. Raises ValueError in a sentence."""
        columns = ("input", "output", "cache_read", "cache_write")
        longer, border = [], 0
        for step in self.longer:
            if not isinstance(step, dict) or step.keys() != {"above", *columns}:
                raise ValueError(f"longer: {step!r} is no price of longer prompts.")
            if any(type(n) is not int or n < 0 for n in step.values()):
                raise ValueError(f"longer: {step!r} holds something but whole numbers.")
            if step["above"] <= border:
                raise ValueError("longer: its borders must rise.")
            border = step["above"]
            longer.append((border, PriceList(*(step[name] for name in columns))))
        return PriceList(
            self.input,
            self.output,
            self.cache_read,
            self.cache_write,
            tuple(longer),
        )
