"""`manage.py train_router --data FILE.jsonl`: a router from labelled prompts."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from routing.counting import counted


class Command(BaseCommand):
    help = "Train a router on labelled prompts and measure it on held-out ones."
    requires_system_checks: Any = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--data", type=Path, required=True, help="JSON lines")
        parser.add_argument("--out", type=Path, help="default: router.npz among data")
        parser.add_argument("--activate", action="store_true", help="let it decide")

    def handle(self, *args: Any, **options: Any) -> None:
        from routing.learned.dataset import BadLine, read
        from routing.learned.labelled import Collector, TooLittle
        from routing.learned.train import train

        path: Path = options["data"]
        out: Path = options["out"] or settings.DATA_DIR / "router.npz"
        if not out.parent.is_dir():  # told before minutes are spent on training
            raise CommandError(f"There is no folder {out.parent} to put the router in.")
        collector = Collector()
        try:
            for example in read(path, labelled=True):
                collector.add(example.body, example.quality)
            model = train(collector.labelled())
            data = model.dump()
            write_whole(out, data)
        except (BadLine, TooLittle) as error:
            raise CommandError(f"{path}: {error}") from None
        except OSError as error:
            raise CommandError(str(error)) from None
        for line in summary(model.metrics):
            self.stdout.write(line)
        self.stdout.write(f"Written to {out}.")
        if options["activate"]:
            self.activate(data, model.metrics)

    def activate(self, data: bytes, metrics: dict[str, Any]) -> None:
        """Keep it as the next version and let it decide; refuse what is no better."""
        from routing.models import RouterModel

        call_command("migrate", verbosity=0, interactive=False)
        router = RouterModel.keep(data, metrics)
        try:
            router.activate()
        except ValidationError as error:
            raise CommandError(
                f"Router {router.version} is kept as a draft and not activated. "
                + " ".join(error.messages)
            ) from None
        self.stdout.write(f"Router {router.version} is active and decides.")


def write_whole(path: Path, data: bytes) -> None:
    """All of it or nothing: a router that is there stays until the new one is."""
    path = path.resolve()  # a link goes on pointing where it did
    if path.exists() and not path.is_file():  # such as /dev/stdout
        path.write_bytes(data)
        return
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def summary(metrics: dict[str, Any]) -> list[str]:
    """What held-out rows say, in lines."""
    lines = [f"{counted(metrics['rows'], 'row')}."]
    for name, tier in metrics["tiers"].items():
        lines.append(
            f"Tier {name}: {tier['rows']} judged, mean quality {tier['mean']:.3f}, "
            f"calibration error {tier['error']:.3f}."
        )
    for pair in metrics["pairs"]:
        ranking = pair["ranking"]
        lines.append(
            f"{pair['weak']} -> {pair['strong']}, {pair['rows']} held-out rows: "
            f"APGR {ranking['apgr']:.3f}, half of the gap for "
            f"{ranking['cpt50']:.1%} strong calls, 80 % for {ranking['cpt80']:.1%}."
        )
        for compared in pair["comparisons"]:
            lines.append(
                f"  {compared['baseline']}: {compared['baseline_apgr']:.3f}, "
                f"difference {compared['difference']:+.3f} "
                f"[{compared['low']:+.3f}, {compared['high']:+.3f}]"
            )
    lines += [f"Not fit to decide: {text}" for text in metrics["objections"]]
    return lines
