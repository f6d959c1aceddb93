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

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.request_id
