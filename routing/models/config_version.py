"""How the gateway hears of changed rows."""

from django.db import models


class ConfigVersion(models.Model):
    """A counter per configuration table that database triggers raise on any change.

    The snapshot refresher reads these few rows each second, so a change by the admin,
    raw SQL or loaddata is seen alike, and 10 000 keys cost nothing while none changes.
    """

    table = models.CharField(max_length=64, primary_key=True)
    version = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.table} {self.version}"
