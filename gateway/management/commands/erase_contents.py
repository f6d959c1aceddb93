"""`manage.py erase_contents NAME`: forget what was said with a key."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gateway.contents.erase import erase
from gateway.models import ApiKey
from routing.counting import counted


class Command(BaseCommand):
    help = "Delete the stored texts of a key's requests and its cached answers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="of the key")

    def handle(self, *args: Any, **options: Any) -> None:
        key = ApiKey.objects.filter(name=options["name"]).first()
        if key is None:
            raise CommandError(f'There is no key named "{options["name"]}".')
        erased = erase(key)
        self.stdout.write(
            f"The texts of {counted(erased, 'request')} and the answers cached for "
            f"{key.scope} are gone. The log's rows, which hold no text, stay."
        )
