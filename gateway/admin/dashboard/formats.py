"""Numbers and tables as people read them."""

from collections.abc import Sequence

from routing.money_format import dollars
from routing.pricing import NANO_PER_USD

Table = dict[str, Sequence[object]]


def percent(part: float, whole: float) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def time(milliseconds: float | None) -> str:
    if milliseconds is None:
        return "-"
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    return f"{milliseconds / 1000:.1f} s"


def short(number: float) -> str:
    """`12,345`; from a hundred thousand on `123.5 k` and `1.2 M`."""
    for size, unit, letter in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e5, 1e3, "k")):
        if number >= size:
            return f"{number / unit:,.1f} {letter}"
    return f"{number:,.0f}" if number == int(number) else f"{number:,.2f}"


def usd(value: float) -> str:
    """On an axis: as many places as its steps need."""
    if value < 0:
        return f"-{usd(-value)}"
    if value == int(value):
        return f"${value:,.0f}"
    return dollars(round(value * NANO_PER_USD))


def share(value: float) -> str:
    """On an axis."""
    return f"{value * 100:.3g}%"


def duration(milliseconds: float) -> str:
    """On an axis: its steps are quarters of seconds too."""
    if not milliseconds:
        return "0"
    if milliseconds < 1000:
        return f"{milliseconds:.3g} ms"
    return f"{milliseconds / 1000:g} s"
