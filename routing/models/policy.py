"""The one row of rules."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from routing.models.addresses import clean_url
from routing.models.backends import Tier
from routing.models.intent import IntentCheck


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

    class LearnedTarget(models.TextChoices):
        MAX_LOSS = "max_loss", "At most this share of the quality is lost"
        TOP_SHARE = "top_share", "At most this share of requests goes to the top tier"
        MAX_WORSE = "max_worse", "At most this share of downgrades is worse (a promise)"

    class Learning(models.TextChoices):
        NONE = "none", "Nothing is learned"
        WATCH = "watch", "New routers are watched; a person activates them"
        AUTO = "auto", "A new router that beats what it must decides by itself"

    class Cascade(models.TextChoices):
        NONE = "none", "No answer is checked"
        WHOLE = "whole", "Whole answers are checked before they are served"
        ALL = "all", "Streams too, by their first words"

    class CascadeCheck(models.TextChoices):
        FORM = "form", "Its form only: JSON, schema, refusals, empty or cut off"
        LOGPROBS = "logprobs", "Also the probability of its tokens, where one is given"
        AGREEMENT = "agreement", "Also whether a second cheap answer agrees"
        JUDGE = "judge", "Also a judge backend's word"

    class Contents(models.TextChoices):
        OFF = "off", "Off: money and times, neither tags nor decisions"
        METADATA = "metadata", "Metadata: tags and decisions, no text"
        TRUNCATED = "truncated", "Truncated: also the beginning of each text"
        FULL = "full", "Full: prompts and answers"

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
    holdout_share = models.FloatField(
        default=0.0,
        validators=[MinValueValidator(0.0), MaxValueValidator(0.05)],
        help_text="This share of the routed requests goes to the baseline tier at "
        "random, so that savings are measured: 0.02 is 2 %. 0: none.",
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
    cache_max_ttl_seconds = models.FloatField(
        default=3600.0,
        validators=[MinValueValidator(0.1)],
        help_text="The longest a client may ask for by X-LLM-Router-Cache-TTL.",
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
    cache_stale_seconds = models.FloatField(
        default=0.0,
        validators=[MinValueValidator(0.0)],
        help_text="An answer that expired less than this ago is still given, while a "
        "fresh one is bought in the background. 0: never.",
    )
    cache_persist = models.BooleanField(
        default=False,
        help_text="Also keep answers in the database, so that they survive a restart.",
    )
    cache_audit_share = models.FloatField(
        default=0.01,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text="This share of hits by another wording is answered afresh in the "
        "background and compared.",
    )
    cache_audit_budget_usd = models.FloatField(
        default=1.0,
        validators=[MinValueValidator(0.0)],
        help_text="Dollars a day that audits of the cache may cost.",
    )
    cache_judge = models.CharField(
        max_length=128,
        blank=True,
        help_text="Backend that compares a stored and a fresh answer whose texts "
        "differ. Empty: such audits count as unjudged.",
    )
    cache_learn_aliases = models.BooleanField(
        default=False,
        help_text="After a miss the judge is asked, in the background, whether a "
        "stored question means the same; when it says yes, the two share answers from "
        "then on. Needs a judge.",
    )
    cache_max_false_hit_share = models.FloatField(
        default=0.01,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text="A level of the cache that can't be shown to be wrong less often "
        "than this switches itself off for a scope.",
    )
    cache_min_audits = models.PositiveIntegerField(
        default=300,
        validators=[MinValueValidator(1)],
        help_text="Judged audits before that bound counts; it takes 299 without a "
        "false hit to show 1 %.",
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
    sidecar_budget_seconds = models.FloatField(
        default=0.05,
        validators=[MinValueValidator(0.001), MaxValueValidator(2.0)],
        help_text="How long a request waits for the sidecar before it is decided "
        "without.",
    )
    learned_target = models.CharField(
        max_length=9,
        choices=LearnedTarget,
        default=LearnedTarget.MAX_LOSS,
        help_text="What a trained router must keep to.",
    )
    learned_target_value = models.FloatField(
        default=0.02,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text="0.02 is 2 %: of the quality that the top tier would give, of the "
        "requests, or of the downgraded requests.",
    )
    learning = models.CharField(
        max_length=5,
        choices=Learning,
        default=Learning.NONE,
        help_text="Keep what a request looked like (never its text), try other tiers "
        "now and then, and train routers on the feedback.",
    )
    learned_exploration = models.FloatField(
        default=0.5,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text="While learning and before a router decides: the share of requests "
        "whose tier is drawn at random.",
    )
    learned_soft_share = models.FloatField(
        default=0.1,
        validators=[MinValueValidator(0.0), MaxValueValidator(0.5)],
        help_text="While learning and once a router decides: the share of requests "
        "that go to another tier than it would choose, mostly those near its border.",
    )
    learned_refit_every = models.PositiveIntegerField(
        default=200,
        validators=[MinValueValidator(20)],
        help_text="New votes of a scope after which a new router is trained.",
    )
    learned_shadow_requests = models.PositiveIntegerField(
        default=50,
        validators=[MinValueValidator(1)],
        help_text="Requests that a new router is watched on before it decides.",
    )
    learned_judge = models.CharField(
        max_length=128,
        blank=True,
        help_text="Backend that compares two tiers' answers, blind and in both orders. "
        "Empty: none are compared.",
    )
    learned_pair_share = models.FloatField(
        default=0.0,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text="While learning: the share of bought answers whose request is also "
        "asked of the tier below, for the judge to compare.",
    )
    learned_pair_budget_usd = models.FloatField(
        default=1.0,
        validators=[MinValueValidator(0.0)],
        help_text="Dollars a day that such second answers and the judge may cost.",
    )
    learned_across_scopes = models.BooleanField(
        default=False,
        help_text="Learn one router for everybody from everybody's votes. Off: the "
        "votes of a team, or of a key without one, move its own requests only.",
    )
    max_feedback = models.PositiveIntegerField(
        default=10_000,
        validators=[MinValueValidator(1)],
        help_text="Feedback rows kept; the oldest leave first.",
    )

    budget_cap_share = models.FloatField(
        default=0.8,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text="A budget that is spent to this share lowers the highest tier. "
        "1: never.",
    )
    budget_cap_tier = models.PositiveSmallIntegerField(
        default=0,
        validators=[MaxValueValidator(9999)],
        help_text="The highest tier from then on. 0: the second highest.",
    )
    budget_cheapest_share = models.FloatField(
        default=0.95,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text="A budget that is spent to this share leaves stored answers and the "
        "lowest tier only. 1: never.",
    )

    intents = models.BooleanField(
        default=False,
        help_text="Among backends of equal price, prefer the one that has served "
        "requests of this kind best. Only after manage.py check_intents has passed.",
    )
    cascade = models.CharField(
        max_length=5,
        choices=Cascade,
        default=Cascade.NONE,
        help_text="Requests that are uncertain between two tiers are answered by the "
        "cheaper one first; in doubt of its answer the other one answers.",
    )
    cascade_band = models.FloatField(
        default=0.1,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text="How near two tiers must be: 0.1 is 10 % of quality for a router, or "
        "10 points of the score without one.",
    )
    cascade_check = models.CharField(
        max_length=9,
        choices=CascadeCheck,
        default=CascadeCheck.FORM,
        help_text="What is looked at. Of streams that begin to flow: refusals, and "
        "the probability of tokens.",
    )
    cascade_confidence = models.FloatField(
        default=0.6,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text="The mean probability or agreement that tells nothing. A router's "
        "expectation is moved by what is measured; without one, less is a doubt.",
    )
    cascade_judge = models.CharField(
        max_length=128, blank=True, help_text="The backend that judges."
    )
    cascade_window = models.PositiveIntegerField(
        default=200,
        validators=[MinValueValidator(1), MaxValueValidator(10_000)],
        help_text="Characters of a stream that are held back at most.",
    )
    cascade_hold_seconds = models.FloatField(
        default=1.5,
        validators=[MinValueValidator(0.0), MaxValueValidator(30.0)],
        help_text="How long a stream is held back at most.",
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
        validators=[MinValueValidator(1), MaxValueValidator(36_500)],
        help_text="Request and attempt rows older than this are deleted; totals stay.",
    )

    contents = models.CharField(
        max_length=10,
        choices=Contents,
        default=Contents.METADATA,
        help_text="How much of prompts and answers the log keeps, redacted. A key may "
        "say otherwise.",
    )
    contents_chars = models.PositiveIntegerField(
        default=500,
        validators=[MinValueValidator(1), MaxValueValidator(100_000)],
        help_text="What is kept of each text where it is truncated.",
    )
    contents_retention_days = models.PositiveIntegerField(
        default=7,
        validators=[MinValueValidator(1), MaxValueValidator(36_500)],
        help_text="Stored texts older than this are deleted.",
    )

    history = HistoricalRecords()

    class Meta:
        verbose_name_plural = "routing policy"
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="one_routing_policy")
        ]

    def __str__(self) -> str:
        return "Routing policy"

    def clean(self) -> None:
        clean_url(self, "sidecar_url")
        if self.intents and (why := IntentCheck.why_not()):
            raise ValidationError({"intents": why})
        if self.budget_cap_share > self.budget_cheapest_share:
            told = "It is above the share that leaves the cheapest tier only."
            raise ValidationError({"budget_cap_share": told})

    @classmethod
    def load(cls) -> "RoutingPolicy":
        return cls.objects.get_or_create(pk=1)[0]
