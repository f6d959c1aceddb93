"""What a request looked like to the routers, for learning once it was judged."""

from django.db import models


class Lesson(models.Model):
    """One request that can be learned from. Its text is not here: hashed words and
    counted cues are, as routing.learned.features packs them."""

    request_id = models.CharField(max_length=64, unique=True)
    at = models.DateTimeField(db_index=True)
    scope = models.CharField(max_length=160)
    tier = models.PositiveSmallIntegerField()
    chance = models.FloatField(help_text="With which it went to this tier.")
    tokens = models.PositiveBigIntegerField(help_text="Of the prompt, estimated.")
    row = models.BinaryField()
    router = models.PositiveIntegerField(
        null=True, help_text="Version of the router that decided; empty: none did."
    )
    gain = models.FloatField(
        null=True, help_text="What it expected of the top tier over the lowest."
    )
    shadow = models.PositiveIntegerField(
        null=True, db_index=True, help_text="Version of the router that watched."
    )
    shadow_tier = models.PositiveSmallIntegerField(
        null=True, help_text="Which it would have chosen."
    )
    shadow_gain = models.FloatField(null=True, help_text="What it expected.")
    doubt = models.CharField(
        max_length=200,
        blank=True,
        help_text="What speaks against the answer without anybody's vote.",
    )

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.request_id
