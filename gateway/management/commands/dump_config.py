"""`manage.py dump_config [FILE]`: the configuration as a config.yaml, no secrets."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from gateway import configuration
from gateway.management.database_command import DatabaseCommand


class Command(DatabaseCommand):
    help = "Write the database's configuration as a config.yaml, without secrets."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, nargs="?", help="default: print it")
        parser.add_argument("--force", action="store_true", help="replace the file")

    def handle(self, *args: Any, **options: Any) -> None:
        text = configuration.dump(timezone.now())
        path: Path | None = options["file"]
        if path is None:
            self.stdout.write(text, ending="")
            return
        try:
            with path.open("w" if options["force"] else "x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            raise CommandError(
                f"{path} exists already; its comments would be lost. "
                "Add --force to replace it."
            ) from None
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from None
