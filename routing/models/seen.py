"""Characters that nobody sees, in texts that people and programs compare."""

import re

from django.core.exceptions import ValidationError
from django.db import models

# What people's names hold that doesn't print: spaces that don't break or are of another
# width, the place where a word may, and what joins letters and the parts of an emoji.
OF_NAMES = re.compile(
    "[\u00a0\u00ad\u1680\u2000-\u200a\u200c-\u200f\u202f\u205f\u3000]"
)
# A text of several lines has their ends as well.
OF_LINES = re.compile(rf"[\r\n\t]|{OF_NAMES.pattern}")


class Unseen(ValidationError):
    """Nobody may enter it. A row that has it serves as it did before we looked."""


def check_seen(
    row: models.Model, *fields: str, beside: re.Pattern[str] | None = None
) -> None:
    """Refuse what can't be printed, but what `beside` knows. Comes last in `clean`."""
    for field in fields:
        value = getattr(row, field)  # no text yet, while the database's default stands
        if isinstance(value, str) and (found := first_unseen(value, beside)):
            told = (
                f"It holds a character that can't be seen (U+{ord(found):04X}), often "
                "from copying. Type it anew."
            )
            raise Unseen({field: told})


def first_unseen(text: str, beside: re.Pattern[str] | None = None) -> str:
    left = beside.sub("", text) if beside else text
    return next((letter for letter in left if not letter.isprintable()), "")
