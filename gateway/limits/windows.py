"""When the periods of limits begin and end."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Period = Literal["minute", "day", "week", "month"]
MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Window:
    """From `start` until before `end`, in POSIX seconds. `day` is the first local day,
    the same for two windows only when they are the same (minutes aside)."""

    start: float
    end: float
    day: date

    def holds(self, now: float) -> bool:
        return self.start <= now < self.end


def window(period: Period, zone: ZoneInfo, now: float) -> Window:
    """The window that `now` is in. A week begins on Monday.

    Borders are midnights on the wall, so that a day on which clocks are set has 23 or
    25 hours. (Where midnight itself is skipped, Python takes the moment it would be.)
    """
    today = datetime.fromtimestamp(now, zone).date()
    if period == "minute":
        start = now // MINUTE * MINUTE
        return Window(start, start + MINUTE, today)
    first = first_day(period, today)
    return Window(
        midnight(first, zone), midnight(following(period, first), zone), first
    )


def first_day(period: Period, today: date) -> date:
    """The first day of the week, month or day that `today` is in."""
    match period:
        case "week":
            return today - timedelta(days=today.weekday())
        case "month":
            return today.replace(day=1)
    return today


def following(period: Period, first: date) -> date:
    match period:
        case "week":
            return first + timedelta(days=7)
        case "month":
            return (first + timedelta(days=31)).replace(day=1)
    return first + timedelta(days=1)


def midnight(day: date, zone: ZoneInfo) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()


class Windows:
    """Remembers the present window of each period and zone: looking is cheap."""

    def __init__(self) -> None:
        self._known: dict[tuple[Period, str], Window] = {}

    def at(self, period: Period, zone: ZoneInfo, now: float) -> Window:
        key = (period, zone.key)
        known = self._known.get(key)
        if known is None or not known.holds(now):
            known = self._known[key] = window(period, zone, now)
        return known
