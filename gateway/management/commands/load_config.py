"""`manage.py load_config FILE`: show what a configuration changes, and import it."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction
from django.utils import timezone

from gateway import configuration
from gateway.configuration import ConfigurationError, Plan
from gateway.management.database_command import DatabaseCommand


class Command(DatabaseCommand):
    help = "Show what a config.yaml changes in the database, then import it whole."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--dry-run", action="store_true", help="show and check, write nothing"
        )
        parser.add_argument(
            "--prune",
            action="store_true",
            help="disable enabled backends that the file doesn't have and, where it "
            "has such a list, intents; delete aliases that it doesn't have",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            config = configuration.read(options["file"], os.environ)
            with transaction.atomic():
                plan = configuration.plan(
                    config, timezone.now(), prune=options["prune"]
                )
                for line in configuration.describe(plan):
                    self.stdout.write(line)
                configuration.apply(plan)
                # Written and taken back: a dry run meets every rule of the database.
                transaction.set_rollback(options["dry_run"])
        except ConfigurationError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(conclusion(plan, options["dry_run"]))


def conclusion(plan: Plan, dry_run: bool) -> str:
    if plan.is_empty:
        return "Nothing to change."
    if dry_run:
        return "Dry run: nothing was written."
    return "Imported; running workers see it within a second."
