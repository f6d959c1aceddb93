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
PATIENCE_SECONDS = 30.0  # who has waited for so long goes before all who have not


@dataclass(slots=True, eq=False)
class Waiter:
    """`run_left_s`: until its run is done; `op_left_s`: by way of this op."""

    run_id: str
    lane: str
    key_id: int
    places: int
    key_places: int
    run_left_s: float
    op_left_s: float
    since: float
    turn: asyncio.Future[None]

    def rank(self, now: float) -> tuple[float, float]:
        patience = 1 - (now - self.since) / PATIENCE_SECONDS
        return self.run_left_s * patience, -self.op_left_s


class Gate:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lanes: Counter[str] = Counter()
        self._keys: Counter[int] = Counter()
        self._waiting: list[Waiter] = []
        self._kept: dict[str, list[Waiter]] = {}

    @asynccontextmanager
    async def place(
        self,
        lane: str,
        backends: list[Backend],
        caller: Caller,
        run_left_s: float,
        op_left_s: float,
        run_id: str = "",
        *,
        hands_over: bool = False,
    ) -> AsyncIterator[None]:
        """A place among the calls to these backends and of this key.

        One that hands over is free when its run calls `pass_on`: else a run that has
        only begun would take it before the next op of this one is in line.
        """
        waiter = Waiter(
            run_id,
            lane,
            caller.key_id,
            places_of(backends),
            caller.max_in_flight or MOST_AT_ONCE,
            run_left_s,
            op_left_s,
            self._clock(),
            asyncio.get_running_loop().create_future(),
        )
        await self._enter(waiter)
        try:
            yield
        except BaseException:
            self._leave(waiter)
            raise
        if hands_over and self._waiting:
            self._kept.setdefault(run_id, []).append(waiter)
        else:
            self._leave(waiter)

    async def _enter(self, waiter: Waiter) -> None:
        """Returns when it is the waiter's turn."""
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

    def pass_on(self, run_id: str) -> None:
        """The run has lined up whatever it does next: its old places are free."""
        for waiter in self._kept.pop(run_id, ()):
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
