"""Texts without what identifies people or opens doors.

Addresses of pages stay, unlike in the messages of providers: a prompt about a page is
nothing without it.
"""

import re
from collections.abc import Callable

from gateway.dialects.redaction import EMAIL, KEYS

CARD = re.compile(r"(?<![\d.-])\d(?:[ -]?\d){12,18}(?![\d-])")
IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
PHONE = re.compile(r"(?<![\w.+-])(?:\+|00)\d{1,3}(?:[ ./-]?\(?\d{1,5}\)?){2,5}(?!\w)")
SSN = re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])")


def redact(text: str) -> str:
    """Keys, mail addresses, card and account numbers and telephones made unreadable."""
    for pattern, instead in (*KEYS, EMAIL):
        text = pattern.sub(instead, text)
    text = IBAN.sub(lambda match: checked(match, "[account]", is_iban), text)
    text = CARD.sub(lambda match: checked(match, "[card]", is_card), text)
    return PHONE.sub("[phone]", SSN.sub("[number]", text))


def checked(match: "re.Match[str]", instead: str, holds: Callable[[str], bool]) -> str:
    return instead if holds(re.sub(r"[ -]", "", match[0])) else match[0]


def is_card(digits: str) -> bool:
    """Luhn's sum (ISO/IEC 7812-1): not every long number is a card's."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0


def is_iban(account: str) -> bool:
    """The remainder of ISO 13616."""
    moved = account[4:] + account[:4]
    return int("".join(str(int(character, 36)) for character in moved)) % 97 == 1
