"""Nano-USD as people read and type it."""

from decimal import Decimal, InvalidOperation

NANO = 9  # decimal places between a dollar and a nano-dollar


def dollars(nano: int) -> str:
    """`$18.42`; below a dollar up to six places, and never a small cost as zero."""
    amount = Decimal(nano).scaleb(-NANO)
    if abs(amount) >= 1:
        text = f"{abs(amount):,.2f}"
    else:
        rounded = round(abs(amount), 6)
        text = trimmed(rounded if rounded or not nano else abs(amount))
    return f"-${text}" if nano < 0 else f"${text}"


def exact_dollars(nano: int) -> str:
    """Without the sign and unrounded, as a price is typed."""
    return trimmed(Decimal(nano).scaleb(-NANO))


def nano_dollars(text: str) -> int:
    """What was typed, as nano-USD. Raises ValueError with a sentence."""
    try:
        amount = Decimal(text.strip().removeprefix("$"))
    except InvalidOperation:
        raise ValueError("Give dollars as a number such as 0.80.") from None
    # Bounded before any arithmetic: 1e999999 is a number of a million digits.
    if not amount.is_finite() or amount.adjusted() >= NANO:
        raise ValueError("That is more than any price.")
    nano = amount.scaleb(NANO)
    if nano != nano.to_integral_value():
        raise ValueError("Give dollars with at most nine decimal places.")
    return int(nano)


def trimmed(amount: Decimal) -> str:
    """At least two decimal places, and no zeros after them."""
    whole, _, fraction = f"{amount:f}".partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"
