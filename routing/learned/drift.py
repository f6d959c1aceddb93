"""Notices when traffic is no longer what a router was measured on."""

from collections import Counter, deque
from collections.abc import Iterable
from math import log
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it imports numpy
    from routing.learned.router import Router

WINDOW = 2000  # newest requests of a router that are looked at
ENOUGH = 300  # below it, chance alone moves as much
# Population stability index: below 0.1 nothing, above 0.2 another population.
MOST_SHIFT = 0.2
MOST_OFF = 0.1  # of all requests, more or fewer to the top tier than was solved for


class Recent:
    """Which tenth of the expected gains each recent request fell into, and which of
    them the router would send to its top tier."""

    def __init__(self) -> None:
        self._window: deque[tuple[int, bool]] = deque(maxlen=WINDOW)
        self.bins: Counter[int] = Counter()
        self.tops = 0

    def __len__(self) -> int:
        return len(self._window)

    def add(self, place: int, top: bool) -> None:
        if len(self._window) == WINDOW:
            old, was_top = self._window[0]
            self.bins[old] -= 1
            self.tops -= was_top
        self._window.append((place, top))
        self.bins[place] += 1
        self.tops += top


class Drift:
    """What the routers of this process saw lately, by version."""

    def __init__(self) -> None:
        self._recent: dict[int, Recent] = {}

    def note(self, router: "Router", gain: float, tier: int) -> None:
        """One request that might have gone to any tier: `tier` is the router's."""
        recent = self._recent.setdefault(router.version, Recent())
        recent.add(router.tenth(gain), tier == router.tiers[-1])

    def alarms(self, routers: "Iterable[Router]") -> list[str]:
        """In sentences, of the routers that decide; others are forgotten."""
        deciding = {router.version: router for router in routers}
        for version in set(self._recent) - set(deciding):
            self._recent.pop(version, None)
        return [
            text
            for version, recent in list(self._recent.items())  # threads may ask
            if version in deciding and len(recent) >= ENOUGH
            for text in self._alarms_of(deciding[version], recent)
        ]

    def _alarms_of(self, router: "Router", recent: Recent) -> list[str]:
        found, count = [], len(recent)
        name = f"Router {router.version}, on its newest {count} requests"
        shift = stability(recent.bins, router.tenths)
        if shift > MOST_SHIFT:
            found.append(
                f"{name}: the gains it expects are spread unlike those it was measured "
                f"with (stability index {shift:.2f}, {MOST_SHIFT} is much). Calibrate "
                "or train it on today's traffic."
            )
        share, solved = recent.tops / count, router.outlook.top_share
        if abs(share - solved) > MOST_OFF:
            found.append(
                f"{name}: {share:.0%} belong to the top tier, and {solved:.0%} were "
                "expected by its target. Calibrate it (manage.py calibrate)."
            )
        return found


def stability(seen: Counter[int], expected: tuple[float, ...]) -> float:
    """The population stability index; an empty tenth counts as half a request."""
    count = sum(seen.values())
    total = 0.0
    for place, share in enumerate(expected):
        now = max(seen[place], 0.5) / count
        before = max(share, 0.5 / count)
        total += (now - before) * log(now / before)
    return total
