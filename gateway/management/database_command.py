"""Commands that may come before the first start."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder


class DatabaseCommand(BaseCommand):
    """Makes the tables of an empty database; an older one is `serve`'s to migrate."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        if not MigrationRecorder(connection).has_table():
            call_command("migrate", verbosity=0, interactive=False)
        return super().execute(**options)  # all that these take has a name
