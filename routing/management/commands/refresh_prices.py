"""`manage.py refresh_prices`: take over what the tables of genai-prices say."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from routing import price_refresh
from routing.counting import counted
from routing.models import Backend
from routing.price_refresh import Proposal, Verdict


class Command(BaseCommand):
    help = "Show and take over the prices that the installed genai-prices knows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="show, and write nothing"
        )
        parser.add_argument(
            "--accept",
            action="append",
            default=[],
            metavar="BACKEND",
            help="take over this backend's prices although they look suspicious",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        rows = list(Backend.objects.prefetch_related("prices"))
        accepted = set(options["accept"])
        if unknown := accepted - {row.name for row in rows}:
            raise CommandError(f"There is no backend {', '.join(sorted(unknown))}.")
        written = 0
        with transaction.atomic():
            for proposal in price_refresh.propose(rows, now):
                taken = not proposal.alarm or proposal.backend.name in accepted
                self.stdout.write(line(proposal, taken=taken))
                if proposal.changes and taken and not options["dry_run"]:
                    price_refresh.write(proposal, now)
                    written += 1
        if options["dry_run"]:
            self.stdout.write("Dry run: nothing was written.")
        else:
            self.stdout.write(
                f"{counted(written, 'backend has', 'backends have')} new prices."
            )


def line(proposal: Proposal, *, taken: bool) -> str:
    name, shown = proposal.backend.name, price_refresh.shown(proposal)
    match proposal.verdict:
        case Verdict.SAME:
            return f"= {name}: {shown.now}"
        case Verdict.OWN:
            known = f"; {shown.source} says {shown.new}" if proposal.differs else ""
            return f"= {name}: {shown.now}, your own, is kept{known}"
        case Verdict.UNKNOWN:
            return f"? {name}: {shown.now}; its model is not in the tables"
    mark = "~" if taken else "!"
    text = f"{mark} {name}: {shown.now} -> {shown.new} ({shown.source})"
    if proposal.alarm:
        text += f". {proposal.alarm}"
    if not taken:
        text += f" Left as it is; to take it over: --accept {name}"
    return text
