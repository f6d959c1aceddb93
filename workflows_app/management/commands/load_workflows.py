"""`manage.py load_workflows`: store workflows from files; the examples by default."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db import transaction

from gateway.errors import GatewayError
from gateway.management.database_command import DatabaseCommand
from workflows_app.models import Workflow
from workflows_app.reader import read

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


class Command(DatabaseCommand):
    help = "Store workflows from YAML files, all or none; without files the examples."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", type=Path, nargs="*", help="files or folders")

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            for path in files_in(options["files"] or [EXAMPLES]):
                self.stdout.write(load(path))


def files_in(paths: list[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        found += sorted(path.glob("*.y*ml")) if path.is_dir() else [path]
    if not found:
        raise CommandError("There is no .yaml file there.")
    return found


def load(path: Path) -> str:
    """Store one file; what happened, in a line."""
    try:
        text = path.read_text(encoding="utf-8")
        name = read(text).name or path.stem
        row = Workflow.objects.filter(name=name).first() or Workflow(name=name)
        if row.pk and row.text == text:
            return f"{name}: unchanged (version {row.version})"
        row.text = text
        row.description = read(text).description[:300]
        row.full_clean()
        row.save()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path}: {error}") from error
    except GatewayError as error:
        raise CommandError(f"{path}: {error.message}") from error
    except ValidationError as error:
        raise CommandError(f"{path}: {'; '.join(error.messages)}") from error
    return f"{name}: version {row.version}"
