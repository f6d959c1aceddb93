"""Sums of the request log per hour and per day, which the dashboard reads.

Each is about one dimension: a row for each key, one for each model and so on. A row for
each combination would be exact about "this key with that model", and hundreds of times
as many: measured with a million requests, a page over a month took 1.1 s instead of
a tenth of it.
"""

from django.db import models

# Upper bounds in milliseconds; a last bucket takes what is slower.
BUCKETS_MS = (
    *(10, 20, 50, 100, 200, 350, 500, 750, 1000),
    *(1500, 2500, 4000, 6000, 10_000, 20_000, 60_000),
)
LATENCY = tuple(f"latency_{number}" for number in range(len(BUCKETS_MS) + 1))
FIRST_BYTE = tuple(f"first_byte_{number}" for number in range(len(BUCKETS_MS) + 1))


class Span(models.TextChoices):
    HOUR = "hour", "Hour"
    DAY = "day", "Day"


class Dimension(models.TextChoices):
    ALL = "all", "Everything"
    MODEL = "model", "Model"
    TIER = "tier", "Tier"
    KEY = "key", "Key"
    TEAM = "team", "Team"
    TAG = "tag", "Tag"
    ANSWER = "answer", "Way of answering"
    STATUS = "status", "Status"


class UsageRollup(models.Model):
    """What came of the requests of one key, model, ... in one hour or day (UTC).

    Money stands with the backend that was called and in the hour of the call; for
    answers, statuses and tags, of which a call knows nothing, with the request. A
    request with two tags counts in both.
    """

    KEY = ("span", "start", "dimension", "name")
    SUMS = (
        *("requests", "errors", "hits", "shared", "bypassed", "calls", "failed_calls"),
        *("prompt_tokens", "completion_tokens", "cached_tokens"),
        *("spent_nano", "saved_nano", *LATENCY, *FIRST_BYTE),
    )

    span = models.CharField(max_length=4, choices=Span)
    start = models.DateTimeField()
    dimension = models.CharField(max_length=6, choices=Dimension)
    name = models.CharField(max_length=128, blank=True)
    requests = models.PositiveBigIntegerField(default=0)
    errors = models.PositiveBigIntegerField(default=0)
    hits = models.PositiveBigIntegerField(default=0)
    shared = models.PositiveBigIntegerField(default=0)
    bypassed = models.PositiveBigIntegerField(default=0)
    calls = models.PositiveBigIntegerField(default=0)
    failed_calls = models.PositiveBigIntegerField(default=0)
    prompt_tokens = models.PositiveBigIntegerField(default=0)
    completion_tokens = models.PositiveBigIntegerField(default=0)
    cached_tokens = models.PositiveBigIntegerField(default=0)
    spent_nano = models.BigIntegerField(default=0)
    saved_nano = models.BigIntegerField(default=0)

    class Meta:
        ordering = ("-start",)
        constraints = [
            models.UniqueConstraint(
                fields=("span", "dimension", "start", "name"), name="one_rollup_each"
            )
        ]

    def __str__(self) -> str:
        return f"{self.span} {self.start:%Y-%m-%d %H:%M} {self.dimension} {self.name}"


for _bucket in (*LATENCY, *FIRST_BYTE):
    UsageRollup.add_to_class(_bucket, models.PositiveBigIntegerField(default=0))
