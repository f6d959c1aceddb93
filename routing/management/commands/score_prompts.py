"""`manage.py score_prompts --input FILE.jsonl`: what a router thinks of prompts."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from routing.management.model_file import find_model


class Command(BaseCommand):
    help = "Print, per prompt, what the strong tier would gain and each tier's quality."
    requires_system_checks: Any = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--input", type=Path, required=True, help="JSON lines")
        parser.add_argument("--model", type=Path, help="default: the active router")
        parser.add_argument("--weak", help="the tier that is cheaper")
        parser.add_argument("--strong", help="the tier whose gain is asked for")

    def handle(self, *args: Any, **options: Any) -> None:
        from routing.learned.dataset import BadLine, read
        from routing.learned.features import prompt_of, row_of
        from routing.learned.pairs import Pair, UnknownTier

        model = find_model(options["model"])
        path: Path = options["input"]
        try:
            pair = Pair.of(model, options["weak"], options["strong"])
            lines = []  # printed in the end: all of them, or the error alone
            for example in read(path, labelled=False):
                row = row_of(prompt_of(example.body))
                score = pair.gain(row)
                quality = zip(model.tiers, model.predict(row).tolist(), strict=True)
                line = {
                    "id": example.id,
                    "score": score,
                    "tier": pair.tier_for(score),
                    "quality": dict(quality),
                }
                lines.append(json.dumps(line, ensure_ascii=False))
        except BadLine as error:
            raise CommandError(f"{path}: {error}") from None
        except (UnknownTier, OSError) as error:
            raise CommandError(str(error)) from None
        for text in lines:
            self.stdout.write(text)
