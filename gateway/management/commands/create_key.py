"""`manage.py create_key NAME`: a client's key, shown once."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.utils import timezone

from gateway.management.database_command import DatabaseCommand
from gateway.models import ApiKey

FAR = 36_500  # days; dates end somewhere
MOST_A_MINUTE = 2_000_000_000  # as much as the column holds


class Command(DatabaseCommand):
    help = "Create an API key. The secret alone goes to stdout, for scripts to capture."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--team", default="", help="shares answers and numbers")
        parser.add_argument("--min-tier", type=positive, help="never routed below it")
        parser.add_argument("--max-tier", type=positive, help="never routed above it")
        parser.add_argument("--expires-days", type=positive, help="from now")
        parser.add_argument("--models", default="", help="names or globs, with commas")
        for name in ("requests", "tokens"):
            option = f"--{name}-per-minute"
            parser.add_argument(option, type=a_minute, help="at most")
        for period in ("day", "week", "month"):
            option = f"--budget-{period}"
            parser.add_argument(option, type=usd, help=f"dollars a {period}")

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
                allowed_models=options["models"],
                requests_per_minute=options["requests_per_minute"],
                tokens_per_minute=options["tokens_per_minute"],
                budget_day_usd=options["budget_day"],
                budget_week_usd=options["budget_week"],
                budget_month_usd=options["budget_month"],
                expires_at=timezone.now() + timedelta(days=days) if days else None,
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stderr.write(f"The key of {name}. It is shown this once and not stored:")
        self.stdout.write(secret)


def positive(text: str, most: int = FAR) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= number <= most:
        raise ArgumentTypeError(f"give a whole number from 1 to {most}")
    return number


def a_minute(text: str) -> int:
    return positive(text, MOST_A_MINUTE)


def usd(text: str) -> Decimal:
    try:
        return Decimal(text)  # the model says which dollars can be a budget
    except InvalidOperation:
        raise ArgumentTypeError("give dollars, such as 2.50") from None
