"""The drift alarm: what routers make of today's traffic, over all workers."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from gateway.placed_rows import PlacedHour
from routing.learned.drift import Recent, alarms, newest

if TYPE_CHECKING:  # it imports numpy
    from routing.learned.router import Router

LOOK_SECONDS = 5.0


class Drift:
    """`look()` runs in the refresher's thread; `alarms` are its sentences."""

    def __init__(
        self, deciding: "Callable[[], list[Router]]", clock: Callable[[], float]
    ) -> None:
        self.alarms: tuple[str, ...] = ()
        self._deciding = deciding
        self._clock = clock
        self._next = clock()

    def look(self) -> None:
        if self._clock() < self._next:
            return
        self._next = self._clock() + LOOK_SECONDS
        self.alarms = tuple(
            sentence
            for router in self._deciding()
            for sentence in alarms(router, newest(hours_of(router.basis)))
        )


def hours_of(basis: str) -> Iterator[Recent]:
    """The newest first, and read no further than they are asked for."""
    rows = PlacedHour.objects.filter(basis=basis).order_by("-start")
    columns = rows.values_list("tops", *PlacedHour.TENTHS)
    for tops, *tenths in columns.iterator(chunk_size=24):
        yield Recent(Counter(dict(enumerate(tenths))), tops)
