"""`manage.py create_key NAME`: a client's key, shown once."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from gateway.models import ApiKey

FAR = 36_500  # days; dates end somewhere


class Command(BaseCommand):
    help = "Create an API key. The secret alone goes to stdout, for scripts to capture."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--team", default="", help="shares answers and numbers")
        parser.add_argument("--min-tier", type=positive, help="never routed below it")
        parser.add_argument("--max-tier", type=positive, help="never routed above it")
        parser.add_argument("--expires-days", type=positive, help="from now")

    def handle(self, *args: Any, **options: Any) -> None:
        name, days = options["name"], options["expires_days"]
        if ApiKey.objects.filter(name=name).exists():
            raise CommandError(
                f'There is a key named "{name}" already. Choose another name, or '
                "revoke that one in the admin."
            )
        try:
            _, secret = ApiKey.issue(
                name,
                team=options["team"],
                min_tier=options["min_tier"],
                max_tier=options["max_tier"],
                expires_at=timezone.now() + timedelta(days=days) if days else None,
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stderr.write(f"The key of {name}. It is shown this once and not stored:")
        self.stdout.write(secret)


def positive(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= number <= FAR:
        raise ArgumentTypeError(f"give a whole number from 1 to {FAR}")
    return number
