"""`manage.py check_intents --data FILE.jsonl`: do intents beat static tiers?"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError

from routing.management.tables import need_tables
from routing.models import Intent, IntentCheck
from routing.trails import intents_of


class Command(BaseCommand):
    help = "Simulate intents on judged prompts; only when they pass may they decide."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--data", type=Path, required=True, help="JSON lines")

    def handle(self, *args: Any, **options: Any) -> None:
        from routing.learned.dataset import BadLine, read
        from routing.learned.intent_check import check
        from routing.learned.labelled import Collector, TooLittle

        need_tables("the intents are kept there")
        path: Path = options["data"]
        collector = Collector()
        try:
            intents = intents_of(Intent.objects.all())
            for example in read(path, labelled=True):
                collector.add(example.body, example.quality)
            labelled = collector.labelled()
        except (BadLine, TooLittle) as error:
            raise CommandError(f"{path}: {error}") from None
        except (ValueError, OSError) as error:
            raise CommandError(str(error)) from None
        report = check(intents, labelled)
        row = IntentCheck.objects.create(
            rows=len(labelled.rows),
            report=report.as_json(),
            objections=report.objections(),
        )
        shares = np.round(intents.mixtures(labelled.rows).mean(axis=0), 3).tolist()
        for kind, share in zip(intents.kinds, shares, strict=True):
            self.stdout.write(f"{kind.slug}: {share:.1%} of the lines")
        self.stdout.write(
            f"APGR {report.ranking.apgr:.3f} between {report.weak} and "
            f"{report.strong} on {report.rows} lines that left no trail."
        )
        for each in report.comparisons:
            self.stdout.write(
                f"  against {each.baseline} {each.difference:+.3f} "
                f"[{each.low:+.3f}, {each.high:+.3f}]"
            )
        if row.objections:
            raise CommandError("Intents must not decide. " + " ".join(row.objections))
        self.stdout.write("Intents may decide now: the policy's switch is free.")
