"""How a provider is called: attempts, time-outs, limits."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from routing.models.policy.fields import count, seconds, share


class Calls(models.Model):
    class OnDisconnect(models.TextChoices):
        CANCEL = "cancel", "Cancel the provider's call, estimate its cost"
        DRAIN = "drain", "Read the rest for exact books, within bounds"

    max_attempts = models.PositiveSmallIntegerField(
        default=3,
        validators=[MinValueValidator(1), MaxValueValidator(10)],
        help_text="Backends tried for one request, the first included.",
    )
    retry_budget = share(
        0.2,
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
    drain_seconds = seconds(
        60.0,
        help_text="How long a call whose readers left may go on.",
        least=0.0,
    )
    connect_timeout_seconds = seconds(
        5.0,
        help_text="For reaching a provider, TLS included.",
    )
    first_byte_timeout_seconds = seconds(
        120.0,
        help_text="From sending a request to the first byte of its answer.",
    )
    read_timeout_seconds = seconds(
        30.0,
        help_text="For reading a client's request.",
    )
    write_timeout_seconds = seconds(
        120.0,
        help_text="For a whole answer, and between two pieces of a stream.",
    )
    stream_max_seconds = seconds(
        3600.0,
        help_text="The longest a stream may take as a whole.",
    )
    max_answer_bytes = models.PositiveBigIntegerField(
        default=64 << 20,
        validators=[MinValueValidator(1 << 12)],
        help_text="A provider's answer larger than this is refused.",
    )
    keepalive_seconds = seconds(
        15.0,
        help_text="A comment is sent into a stream that was idle this long.",
    )
    default_max_output_tokens = count(
        4096,
        help_text="Sent to providers that require a limit when the client gave none.",
    )

    class Meta:
        abstract = True
