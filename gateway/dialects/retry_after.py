"""How long a provider asks us to wait."""

import math
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

SHORTEST, LONGEST = 1.0, 120.0


def retry_after(headers: Mapping[str, str], now_wall: float) -> float | None:
    """Seconds, within bounds whatever was said; None when nothing usable was.

    The millisecond header that both SDKs know comes first, then seconds or a date.
    """
    given = {name.lower(): value for name, value in headers.items()}
    milliseconds = seconds_in(given.get("retry-after-ms", ""))
    if milliseconds is not None:
        return bounded(milliseconds / 1000)
    value = given.get("retry-after", "")
    seconds = seconds_in(value)
    if seconds is None:
        seconds = seconds_until(value, now_wall)
    return None if seconds is None else bounded(seconds)


def seconds_in(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def seconds_until(date: str, now_wall: float) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
        if moment.tzinfo is None:  # "-0000" means UTC of no known zone
            moment = moment.replace(tzinfo=UTC)
        return moment.timestamp() - now_wall
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def bounded(seconds: float) -> float:
    return min(max(seconds, SHORTEST), LONGEST)
