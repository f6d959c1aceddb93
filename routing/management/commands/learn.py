"""`manage.py learn`: train routers on the votes that came since the last time."""

import os
import signal
import sys
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from routing.management.tables import need_tables

NICENESS = 5  # requests come first


class Command(BaseCommand):
    help = (
        "Train routers on new feedback; the gateway does so by itself while learning."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--scope", help="this one, however few votes are new")

    def handle(self, *args: Any, **options: Any) -> None:
        from routing.learning.borders import due_borders, keep_borders
        from routing.learning.refit import due_scopes, promote, refit
        from routing.learning.votes import votes_of
        from routing.models import LearningTurn, RoutingPolicy

        need_tables("nobody has voted yet")
        with suppress(OSError):
            os.nice(NICENESS)
        with suppress(ValueError):  # not in the main thread
            # What is under way is let go of, for the next one to begin anew.
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        policy = RoutingPolicy.load()
        given = options["scope"]
        scopes = due_scopes(policy) if given is None else [given]
        moving = due_borders(policy) if given is None else [given]
        moved = [row for scope in moving for row in keep_borders(scope, policy)]
        for row in moved:
            self.stdout.write(f"{row} ends at {row.border} (at {row.base} by itself).")
        if given and not votes_of(given).exists():
            if moved:
                return
            raise CommandError(f"Nobody of the scope {given!r} has voted yet.")
        for scope in scopes:
            refit(scope, policy)
            turn = LearningTurn.objects.get(scope=scope)
            self.stdout.write(f"{turn}: {turn.note or 'another process is at it.'}")
        for router in promote(policy):
            self.stdout.write(f"{router} decides from now on.")
        if not scopes and not moved:
            self.stdout.write("No scope has enough new votes.")
