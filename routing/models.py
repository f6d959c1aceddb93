"""Rows an operator edits: tiers, backends, prices, aliases, policy; and feedback."""

from itertools import pairwise
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import (
    MaxValueValidator,
    MinValueValidator,
    RegexValidator,
)
from django.db import models
from django.db.models import Q
from django.utils import timezone

from routing.fields import EncryptedTextField
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
    max_in_flight = models.PositiveIntegerField(
        default=0, help_text="Requests at the same time; 0 means no bound."
    )
    weight = models.FloatField(
        default=1.0,
        validators=[MinValueValidator(0.01)],
        help_text="Share of traffic among backends of equal price.",
    )
    state = models.CharField(
        max_length=8,
        choices=State,
        default=State.ENABLED,
        help_text="Draining finishes what is running and takes nothing new.",
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("tier__rank", "id")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.name.lower() in RESERVED_NAMES or self.name.lower().startswith("tier-"):
            raise ValidationError({"name": f"{self.name!r} has a meaning of its own."})
        if self.api_key_env and self.api_key_value:
            raise ValidationError(
                {"api_key_env": "Give the variable or the key itself, not both."}
            )
        clean_url(self, "base_url")
        preset = PROVIDERS.get(self.provider)
        if preset and not (self.base_url or preset.base_url):
            raise ValidationError(
                {"base_url": f"{self.provider} has no address of its own; give one."}
            )


def clean_url(row: models.Model, field: str) -> None:
    """Refuse what is not an absolute http(s) address without credentials in it."""
    value = getattr(row, field)
    if not value:
        return
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        raise ValidationError({field: f"Not an address: {error}."}) from error
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValidationError(
            {field: "Give an absolute address such as https://api.example.com/v1."}
        )
    if parts.username or parts.password:
        raise ValidationError({field: "Credentials belong in the API key, not here."})
    if parts.query or parts.fragment or any(c <= " " for c in value):
        raise ValidationError({field: "No query, fragment or spaces in an address."})


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
    source = models.CharField(
        max_length=200, default="admin", help_text="Where the numbers come from."
    )

    class Meta:
        ordering = ("backend", "-effective_from")
        constraints = [
            models.UniqueConstraint(
                fields=("backend", "effective_from"), name="one_price_per_moment"
            )
        ]

    def __str__(self) -> str:
        return f"{self.backend} from {self.effective_from:%Y-%m-%d %H:%M}"


class ModelAlias(models.Model):
    """What a model name sent by a client means here."""

    position = models.PositiveSmallIntegerField(
        default=100, help_text="Lower numbers are tried first."
    )
    pattern = models.CharField(
        max_length=200,
        unique=True,
        help_text="A name or a glob such as claude-*haiku*; case matters.",
    )
    tier = models.ForeignKey(Tier, models.CASCADE, null=True, blank=True)
    backend = models.ForeignKey(Backend, models.CASCADE, null=True, blank=True)

    class Meta:
        ordering = ("position", "pattern")
        verbose_name_plural = "model aliases"
        constraints = [
            models.CheckConstraint(
                condition=Q(tier__isnull=True, backend__isnull=False)
                | Q(tier__isnull=False, backend__isnull=True),
                name="alias_means_a_tier_or_a_backend",
                violation_error_message="Choose a tier or a backend, one of them.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.pattern} -> {self.backend or self.tier}"


class RoutingPolicy(models.Model):
    """The one row of rules; `load()` makes it when it is missing."""

    class ClientModel(models.TextChoices):
        CEILING = "ceiling", "Never above the named model's tier, cheaper if enough"
        PIN = "pin", "Exactly the named model's tier"
        ROUTE = "route", "Ignore the name, route freely"

    class Matching(models.TextChoices):
        EXACT = "exact", "Exact requests only"
        CANONICAL = "canonical", "Same question in other words, compared for equality"
        JACCARD = "jaccard", "Similar word sets, guarded"

    class ColdStart(models.TextChoices):
        HEURISTIC = "heuristic", "The explained 0-100 score"
        BASELINE = "baseline", "Everything to the baseline tier"

    class OnDisconnect(models.TextChoices):
        CANCEL = "cancel", "Cancel the provider's call, estimate its cost"
        DRAIN = "drain", "Read the rest for exact books, within bounds"

    client_model = models.CharField(
        max_length=8,
        choices=ClientModel,
        default=ClientModel.CEILING,
        help_text="What a model name sent by a client means.",
    )
    baseline_tier = models.ForeignKey(
        Tier,
        models.SET_NULL,
        null=True,
        blank=True,
        help_text="Savings are measured against this tier. Empty: the highest.",
    )
    cold_start = models.CharField(
        max_length=9,
        choices=ColdStart,
        default=ColdStart.HEURISTIC,
        help_text="Who decides until a router has been trained on own traffic.",
    )
    allow_downgrade = models.BooleanField(
        default=False,
        help_text="When no backend of the tier or above can answer, use a lower tier "
        "instead of refusing.",
    )

    cache_enabled = models.BooleanField(
        default=True, help_text="Answer from earlier answers of the same scope."
    )
    cache_matching = models.CharField(
        max_length=9,
        choices=Matching,
        default=Matching.CANONICAL,
        help_text="How alike two requests must be to share an answer.",
    )
    cache_max_entries = models.PositiveIntegerField(
        default=1000,
        validators=[MinValueValidator(1)],
        help_text="Answers kept per process; the least recently used leave first.",
    )
    cache_max_bytes = models.PositiveBigIntegerField(
        default=256 << 20,
        validators=[MinValueValidator(1 << 16)],
        help_text="Bytes of answers and keys kept per process.",
    )
    cache_ttl_seconds = models.FloatField(
        default=300.0,
        validators=[MinValueValidator(0.1)],
        help_text="How long an answer may be reused.",
    )
    cache_similarity = models.FloatField(
        default=0.85,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text="Acts in jaccard matching only; 1 is strictest.",
    )
    cache_max_temperature = models.FloatField(
        default=0.3,
        validators=[MinValueValidator(0.0), MaxValueValidator(2.0)],
        help_text="Requests with a higher explicit temperature are neither cached nor "
        "shared unless they ask for it.",
    )
    sharing_enabled = models.BooleanField(
        default=True, help_text="Identical requests in flight share one call."
    )
    sharing_buffer_bytes = models.PositiveIntegerField(
        default=1 << 20,
        validators=[MinValueValidator(1 << 12)],
        help_text="A stream can be joined until this much of it has passed.",
    )

    learned_threshold = models.FloatField(
        default=0.5,
        validators=[MinValueValidator(0.01), MaxValueValidator(1.0)],
        help_text="Used while a sidecar is configured: a combined score below 0.6 of "
        "it is tier 1, below it tier 2, else tier 3.",
    )
    sidecar_url = models.CharField(
        max_length=500, blank=True, help_text="Address of a RouteLLM classifier."
    )
    sidecar_weight = models.FloatField(
        default=0.7,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text="Share of the sidecar in the combined score; the rest is the "
        "explained 0-100 score.",
    )
    max_feedback = models.PositiveIntegerField(
        default=10_000,
        validators=[MinValueValidator(1)],
        help_text="Feedback rows kept; the oldest leave first.",
    )

    max_attempts = models.PositiveSmallIntegerField(
        default=3,
        validators=[MinValueValidator(1), MaxValueValidator(10)],
        help_text="Backends tried for one request, the first included.",
    )
    retry_budget = models.FloatField(
        default=0.2,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text="Retries as a share of requests, over all backends.",
    )
    retry_ambiguous = models.BooleanField(
        default=False,
        help_text="Also try another backend after a time-out that the first one may "
        "bill for.",
    )
    on_disconnect = models.CharField(
        max_length=6,
        choices=OnDisconnect,
        default=OnDisconnect.CANCEL,
        help_text="What happens to a call when its last reader has left.",
    )
    drain_seconds = models.FloatField(
        default=60.0,
        validators=[MinValueValidator(0.0)],
        help_text="How long a call whose readers left may go on.",
    )
    connect_timeout_seconds = models.FloatField(
        default=5.0,
        validators=[MinValueValidator(0.05)],
        help_text="For reaching a provider, TLS included.",
    )
    first_byte_timeout_seconds = models.FloatField(
        default=120.0,
        validators=[MinValueValidator(0.05)],
        help_text="From sending a request to the first byte of its answer.",
    )
    read_timeout_seconds = models.FloatField(
        default=30.0,
        validators=[MinValueValidator(0.05)],
        help_text="For reading a client's request.",
    )
    write_timeout_seconds = models.FloatField(
        default=120.0,
        validators=[MinValueValidator(0.05)],
        help_text="For a whole answer, and between two pieces of a stream.",
    )
    stream_max_seconds = models.FloatField(
        default=3600.0,
        validators=[MinValueValidator(0.05)],
        help_text="The longest a stream may take as a whole.",
    )
    max_answer_bytes = models.PositiveBigIntegerField(
        default=64 << 20,
        validators=[MinValueValidator(1 << 12)],
        help_text="A provider's answer larger than this is refused.",
    )
    keepalive_seconds = models.FloatField(
        default=15.0,
        validators=[MinValueValidator(0.05)],
        help_text="A comment is sent into a stream that was idle this long.",
    )
    default_max_output_tokens = models.PositiveIntegerField(
        default=4096,
        validators=[MinValueValidator(1)],
        help_text="Sent to providers that require a limit when the client gave none.",
    )
    log_retention_days = models.PositiveIntegerField(
        default=30,
        validators=[MinValueValidator(1)],
        help_text="Request and attempt rows older than this are deleted; totals stay.",
    )

    class Meta:
        verbose_name_plural = "routing policy"
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="one_routing_policy")
        ]

    def __str__(self) -> str:
        return "Routing policy"

    def clean(self) -> None:
        clean_url(self, "sidecar_url")

    @classmethod
    def load(cls) -> "RoutingPolicy":
        return cls.objects.get_or_create(pk=1)[0]


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


class ConfigVersion(models.Model):
    """A counter per configuration table that database triggers raise on any change.

    The snapshot refresher reads these few rows each second, so a change by the admin,
    raw SQL or loaddata is seen alike, and 10 000 keys cost nothing while none changes.
    """

    table = models.CharField(max_length=64, primary_key=True)
    version = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.table} {self.version}"
