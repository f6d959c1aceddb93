"""Who may call a model now: the ops of all runs of this process wait here in line.

Those of the run that is nearly done go first (ParrotServe's ordering), within a run
those on its critical path; waiting counts as progress, so that nobody starves.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from gateway.ledger.books import Caller
from routing.catalog import Backend

MOST_AT_ONCE = 256  # calls to one target whose backends set no bound of their own
AGING = 1.0  # a second of waiting counts as so many seconds of work done


@dataclass(slots=True, eq=False)
class Waiter:
    """`run_left_s`: until its run is done; `op_left_s`: by way of this op."""

    lane: str
    key_id: int
    places: int
    key_places: int
    run_left_s: float
    op_left_s: float
    since: float
    turn: asyncio.Future[None]

    def rank(self, now: float) -> tuple[float, float]:
        return self.run_left_s - AGING * (now - self.since), -self.op_left_s


class Gate:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lanes: Counter[str] = Counter()
        self._keys: Counter[int] = Counter()
        self._waiting: list[Waiter] = []

    @asynccontextmanager
    async def place(
        self,
        lane: str,
        backends: list[Backend],
        caller: Caller,
        run_left_s: float,
        op_left_s: float,
    ) -> AsyncIterator[None]:
        """A place among the calls to these backends and of this key."""
        waiter = Waiter(
            lane,
            caller.key_id,
            places_of(backends),
            caller.max_in_flight or MOST_AT_ONCE,
            run_left_s,
            op_left_s,
            self._clock(),
            asyncio.get_running_loop().create_future(),
        )
        self._waiting.append(waiter)
        self._let_in()
        try:
            await waiter.turn
        except asyncio.CancelledError:
            if waiter.turn.done() and not waiter.turn.cancelled():
                self._leave(waiter)  # it had its turn in the same moment
            else:
                self._waiting.remove(waiter)
            raise
        try:
            yield
        finally:
            self._leave(waiter)

    def _leave(self, waiter: Waiter) -> None:
        self._lanes[waiter.lane] -= 1
        self._keys[waiter.key_id] -= 1
        self._let_in()

    def _let_in(self) -> None:
        if not self._waiting:
            return
        now = self._clock()
        for waiter in sorted(self._waiting, key=lambda each: each.rank(now)):
            if self._lanes[waiter.lane] >= waiter.places:
                continue
            if self._keys[waiter.key_id] >= waiter.key_places:
                continue
            self._lanes[waiter.lane] += 1
            self._keys[waiter.key_id] += 1
            self._waiting.remove(waiter)
            waiter.turn.set_result(None)


def places_of(backends: list[Backend]) -> int:
    """How many calls these backends take at once."""
    bounds = [backend.max_in_flight for backend in backends]
    if not bounds or not all(bounds):
        return MOST_AT_ONCE
    return sum(bounds)
