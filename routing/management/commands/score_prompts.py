"""`manage.py score_prompts --input FILE.jsonl`: what a router thinks of prompts."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

if TYPE_CHECKING:
    from routing.learned.model import QualityModel


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

        model = self.model(options["model"])
        path: Path = options["input"]
        try:
            pair = Pair.of(model, options["weak"], options["strong"])
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
                self.stdout.write(json.dumps(line, ensure_ascii=False))
        except BadLine as error:
            raise CommandError(f"{path}: {error}") from None
        except (UnknownTier, OSError, EOFError) as error:
            raise CommandError(str(error)) from None

    def model(self, path: Path | None) -> "QualityModel":
        """The given file, else the active router, else the last one trained here."""
        from routing.learned.model import NotAModel, QualityModel

        data = None if path else active_router()
        source = path or settings.DATA_DIR / "router.npz"
        try:
            return QualityModel.load(source.read_bytes() if data is None else data)
        except FileNotFoundError:
            raise CommandError(
                f"There is no router: {source} does not exist and none is active. "
                "Train one with manage.py train_router --data FILE.jsonl."
            ) from None
        except (NotAModel, OSError) as error:
            raise CommandError(f"{source}: {error}") from None


def active_router() -> bytes | None:
    """The router that decides; None when there is none, or no database yet."""
    from routing.models import RouterModel

    try:
        found = RouterModel.objects.filter(status=RouterModel.Status.ACTIVE).first()
    except DatabaseError:
        return None
    return bytes(found.data) if found else None
