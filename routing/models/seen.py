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


def check_seen(
    row: models.Model, *fields: str, beside: re.Pattern[str] | None = None
) -> None:
    """Refuse to enter what can't be printed, but what `beside` knows.

    A row that has it serves, and is edited, as it was before we looked.
    """
    for field in fields:
        value = getattr(row, field)
        if not isinstance(value, str):  # the database's default, for a new row
            continue
        if (found := first_unseen(value, beside)) and not is_stored(row, field):
            told = (
                f"It holds a character that can't be seen (U+{ord(found):04X}), often "
                "from copying. Type it anew."
            )
            raise ValidationError({field: told})


def is_stored(row: models.Model, field: str) -> bool:
    same = {"pk": row.pk, field: getattr(row, field)}
    return row.pk is not None and type(row)._default_manager.filter(**same).exists()


def first_unseen(text: str, beside: re.Pattern[str] | None = None) -> str:
    left = beside.sub("", text) if beside else text
    return next((letter for letter in left if not letter.isprintable()), "")
