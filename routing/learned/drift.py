"""Notices when traffic is no longer what a router was measured on."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it imports numpy
    from routing.learned.router import Router

WINDOW = 2000  # newest requests of a router that are looked at
ENOUGH = 300  # below it, chance alone moves as much
# Population stability index: below 0.1 nothing, above 0.2 another population.
MOST_SHIFT = 0.2
MOST_OFF = 0.1  # of all requests, more or fewer to the top tier than was solved for


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a router put a request that might have gone to any tier: into which tenth
    of the gains that it expects, and whether its top tier is the best."""

    basis: str  # the router's: its tenths and its target
    tenth: int
    top: bool


@dataclass(frozen=True, slots=True)
class Recent:
    """How many of some requests fell into each tenth, and to the top tier."""

    tenths: Counter[int]
    tops: int

    @property
    def requests(self) -> int:
        return self.tenths.total()


def newest(hours: Iterable[Recent]) -> Recent:
    """The newest whole hours that hold enough; `hours` begin with the newest."""
    tenths: Counter[int] = Counter()
    tops = 0
    for hour in hours:
        tenths += hour.tenths
        tops += hour.tops
        if tenths.total() >= WINDOW:
            break
    return Recent(tenths, tops)


def alarms(router: "Router", recent: Recent) -> Iterator[str]:
    """In sentences."""
    if recent.requests < ENOUGH:
        return
    name = f"Router {router.version}, on its newest {recent.requests} requests"
    shift = stability(recent.tenths, router.tenths)
    if shift > MOST_SHIFT:
        yield (
            f"{name}: the gains it expects are spread unlike those it was measured "
            f"with (stability index {shift:.2f}, {MOST_SHIFT} is much). Calibrate "
            "or train it on today's traffic."
        )
    share, solved = recent.tops / recent.requests, router.outlook.top_share
    if abs(share - solved) > MOST_OFF:
        yield (
            f"{name}: {share:.0%} belong to the top tier, and {solved:.0%} were "
            "expected by its target. Calibrate it (manage.py calibrate)."
        )


def stability(seen: Mapping[int, int], expected: tuple[float, ...]) -> float:
    """The population stability index; an empty tenth counts as half a request."""
    count = sum(seen.values())
    total = 0.0
    for place, share in enumerate(expected):
        now = max(seen.get(place, 0), 0.5) / count
        before = max(share, 0.5 / count)
        total += (now - before) * log(now / before)
    return total
