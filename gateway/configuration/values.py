"""One scalar of the file to one value, strictly: nothing is guessed or converted."""

import re
from collections.abc import Callable
from decimal import Decimal
from enum import Enum

from gateway.configuration.yaml_source import TEXT_TAG, Scalar
from routing.models.seen import OF_LINES, OF_NAMES, first_unseen
from routing.pricing import usd_per_1k_to_nano

WHOLE = re.compile(r"[-+]?(0|[1-9]\d{0,18})\Z")
NUMBER = re.compile(r"[-+]?(\d{1,20}(\.\d{0,25})?|\.\d{1,25})([eE][-+]?\d{1,2})?\Z")
FLAG = re.compile(r"(true|false)\Z")
HIGHEST_PRICE = 10**15  # a million dollars per million tokens, as in the admin


class Kind(Enum):
    """What a key holds, in the words of an error message."""

    TEXT = "text"
    NAME = "a name"
    LINES = "text of one or more lines"
    CHOICE = "one of its choices"
    WHOLE = "a whole number"
    NUMBER = "a number"
    FLAG = "true or false"
    MONEY = "a price in USD"
    USD = "an amount in USD"


class WrongValue(ValueError):
    """The value isn't of its kind; the message, if any, is a hint. Holds no value."""


Value = str | int | float | bool | Decimal


def convert(scalar: Scalar, kind: Kind) -> Value:
    return CONVERTERS[kind](scalar)


def _text(scalar: Scalar) -> str:
    return _seen(scalar)


def _name(scalar: Scalar) -> str:
    return _seen(scalar, beside=OF_NAMES)


def _lines(scalar: Scalar) -> str:
    return _seen(scalar, beside=OF_LINES)


def _seen(scalar: Scalar, beside: re.Pattern[str] | None = None) -> str:
    if scalar.tag != TEXT_TAG:
        raise WrongValue("put it in quotes")
    if found := first_unseen(scalar.text, beside):
        code = f"U+{ord(found):04X}"
        raise WrongValue(f"it holds a character that can't be printed ({code})")
    return scalar.text


def _whole(scalar: Scalar) -> int:
    return int(_unquoted(scalar, WHOLE))


def _number(scalar: Scalar) -> float:
    return float(_unquoted(scalar, NUMBER))


def _flag(scalar: Scalar) -> bool:
    return _unquoted(scalar, FLAG) == "true"


def _money(scalar: Scalar) -> int:
    """Nano-USD per million tokens, exactly, from USD per thousand."""
    usd = Decimal(_unquoted(scalar, NUMBER))
    try:
        nano = usd_per_1k_to_nano(usd)
    except ValueError as error:
        raise WrongValue(str(error)) from None
    if nano > HIGHEST_PRICE:
        raise WrongValue("it is more than $1000 per thousand tokens")
    return nano


def _usd(scalar: Scalar) -> Decimal:
    return Decimal(_unquoted(scalar, NUMBER))


def usd_per_1k(nano_per_million: int) -> str:
    """The way back, as it is written in the file: 800_000_000 -> "0.0008"."""
    digits = f"{nano_per_million:013d}"
    return f"{digits[:-12]}.{digits[-12:]}".rstrip("0").rstrip(".")


def _unquoted(scalar: Scalar, pattern: re.Pattern[str]) -> str:
    if not pattern.match(scalar.text):
        raise WrongValue
    if not scalar.plain:
        raise WrongValue("write it without quotes")
    return scalar.text


CONVERTERS: dict[Kind, Callable[[Scalar], Value]] = {
    Kind.TEXT: _text,
    Kind.NAME: _name,
    Kind.LINES: _lines,
    Kind.CHOICE: _text,
    Kind.WHOLE: _whole,
    Kind.NUMBER: _number,
    Kind.FLAG: _flag,
    Kind.MONEY: _money,
    Kind.USD: _usd,
}
