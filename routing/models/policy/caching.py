"""When a stored answer, or one on its way, is used."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from routing.models.policy.fields import backend_name, count, dollars, seconds, share


class Caching(models.Model):
    class Matching(models.TextChoices):
        EXACT = "exact", "Exact requests only"
        CANONICAL = "canonical", "Same question in other words, compared for equality"
        JACCARD = "jaccard", "Similar word sets, guarded"

    cache_enabled = models.BooleanField(
        default=True, help_text="Answer from earlier answers of the same scope."
    )
    cache_matching = models.CharField(
        max_length=9,
        choices=Matching,
        default=Matching.CANONICAL,
        help_text="How alike two requests must be to share an answer.",
    )
    cache_max_entries = count(
        1000,
        help_text="Answers kept per process; the least recently used leave first.",
    )
    cache_max_bytes = models.PositiveBigIntegerField(
        default=256 << 20,
        validators=[MinValueValidator(1 << 16)],
        help_text="Bytes of answers and keys kept per process.",
    )
    cache_ttl_seconds = seconds(
        300.0,
        help_text="How long an answer may be reused.",
        least=0.1,
    )
    cache_max_ttl_seconds = seconds(
        3600.0,
        help_text="The longest a client may ask for by X-LLM-Router-Cache-TTL.",
        least=0.1,
    )
    cache_similarity = share(
        0.85,
        help_text="Acts in jaccard matching only; 1 is strictest.",
    )
    cache_max_temperature = models.FloatField(
        default=0.3,
        validators=[MinValueValidator(0.0), MaxValueValidator(2.0)],
        help_text="Requests with a higher explicit temperature are neither cached nor "
        "shared unless they ask for it.",
    )
    cache_stale_seconds = seconds(
        0.0,
        help_text="An answer that expired less than this ago is still given, while a "
        "fresh one is bought in the background. 0: never.",
        least=0.0,
    )
    cache_persist = models.BooleanField(
        default=False,
        help_text="Also keep answers in the database, so that they survive a restart.",
    )
    cache_audit_share = share(
        0.01,
        help_text="This share of hits by another wording is answered afresh in the "
        "background and compared.",
    )
    cache_audit_budget_usd = dollars(
        1.0,
        help_text="Dollars a day that audits of the cache may cost.",
    )
    cache_judge = backend_name(
        help_text="Backend that compares a stored and a fresh answer whose texts "
        "differ. Empty: such audits count as unjudged.",
    )
    cache_learn_aliases = models.BooleanField(
        default=False,
        help_text="After a miss the judge is asked, in the background, whether a "
        "stored question means the same; when it says yes, the two share answers from "
        "then on. Needs a judge.",
    )
    cache_embeddings = backend_name(
        help_text="Backend that makes embeddings of questions, by which further ones "
        "are shown to the judge. Empty: only those with words in common.",
    )
    cache_max_false_hit_share = share(
        0.01,
        help_text="A level of the cache that can't be shown to be wrong less often "
        "than this switches itself off for a scope.",
    )
    cache_min_audits = count(
        300,
        help_text="Judged audits before that bound counts; it takes 299 without a "
        "false hit to show 1 %.",
    )
    sharing_enabled = models.BooleanField(
        default=True, help_text="Identical requests in flight share one call."
    )
    sharing_buffer_bytes = count(
        1 << 20,
        help_text="A stream can be joined until this much of it has passed.",
        least=1 << 12,
    )

    class Meta:
        abstract = True
