"""Rows from which drift is noticed."""

from django.db import models


class PlacedHour(models.Model):
    """Where a router placed the requests of an hour (UTC) that no bounds held: how many
    fell into each tenth of the gains it was measured with, and to its top tier.

    Sums of all workers: see routing.learned.drift.
    """

    TENTHS = tuple(f"tenth_{place}" for place in range(10))

    basis = models.CharField(max_length=32, help_text="What the router was solved on.")
    start = models.DateTimeField()
    tops = models.PositiveBigIntegerField(default=0)
    tenth_0 = models.PositiveBigIntegerField(default=0)
    tenth_1 = models.PositiveBigIntegerField(default=0)
    tenth_2 = models.PositiveBigIntegerField(default=0)
    tenth_3 = models.PositiveBigIntegerField(default=0)
    tenth_4 = models.PositiveBigIntegerField(default=0)
    tenth_5 = models.PositiveBigIntegerField(default=0)
    tenth_6 = models.PositiveBigIntegerField(default=0)
    tenth_7 = models.PositiveBigIntegerField(default=0)
    tenth_8 = models.PositiveBigIntegerField(default=0)
    tenth_9 = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ("-start",)
        constraints = [
            models.UniqueConstraint(fields=("basis", "start"), name="one_placed_hour")
        ]

    def __str__(self) -> str:
        return f"{self.basis} {self.start:%Y-%m-%d %H:00}"
