"""The ceiling of a run, or of the batch it is part of: what a call may cost at most is
set aside, and written down, before it is made."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum

from routing.pricing import nano_to_usd
from workflows_app.errors import CostCeiling

# Between looks for room in a batch: sooner at first, as most calls are short.
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0


class Room(Enum):
    """Whether there was room for an amount: else others of the batch may still give
    back what they have set aside, in whichever process, or nobody has anything."""

    TAKEN = "taken"
    LATER = "later"
    NEVER = "never"


async def nowhere() -> Room:
    return Room.TAKEN


class Spending:
    """Nano-dollars of one run. `limit` None: no ceiling, and nothing waits.

    `write` writes down what may be spent by now, if the batch has room for it.
    """

    def __init__(
        self,
        limit: int | None,
        *,
        in_batch: bool = False,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.limit = limit
        self.spent = 0
        self.reserved = 0
        self.write: Callable[[], Awaitable[Room]] = nowhere
        self._in_batch = in_batch
        self._sleep = sleep
        self._changed = asyncio.Event()

    def fits(self, amount: int) -> bool:
        return self.limit is None or (self.spent + self.reserved + amount <= self.limit)

    async def reserve(self, amounts: Sequence[int], op: str) -> int:
        """Set the first of these amounts aside that there is room for, and tell which;
        waits while calls under way may still leave enough. Raises CostCeiling when
        they can't, and StorageFull when it can't be written down."""
        pause = FIRST_PAUSE
        while True:
            room = Room.NEVER
            for place, amount in enumerate(amounts):
                if not self.fits(amount):
                    continue
                room = await self._write(amount)
                if room is Room.TAKEN:
                    return place
            if self.reserved:
                await self._wait(pause)
            else:
                await self.write()  # what this run leaves is for the others to see
                if room is Room.NEVER:
                    raise self._reached(amounts[-1], op)
                await self._sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _write(self, amount: int) -> Room:
        self.reserved += amount
        room = Room.NEVER
        try:
            room = await self.write()
        finally:
            if room is not Room.TAKEN:
                self.reserved -= amount
        return room

    async def _wait(self, pause: float) -> None:
        """For a call of this run; in a batch another run's may be sooner."""
        self._changed.clear()
        if not self._in_batch:
            await self._changed.wait()
            return
        try:
            async with asyncio.timeout(pause):
                await self._changed.wait()
        except TimeoutError:
            return

    def settle(self, reserved: int, spent: int) -> None:
        """Give back what was set aside and count what the call really cost."""
        self.reserved -= reserved
        self.spent += spent
        self._changed.set()

    @property
    def at_most(self) -> int:
        """What is to be counted as spent should this process die now."""
        return self.spent + self.reserved

    def _reached(self, amount: int, op: str) -> CostCeiling:
        most = f"${nano_to_usd(amount):.6f}"
        may = f'The run stopped before op "{op}": it may cost up to {most}'
        if self._in_batch and self.fits(amount):
            return CostCeiling(f"{may}, more than its batch has left of max_cost_usd.")
        left = nano_to_usd(max(0, (self.limit or 0) - self.spent))
        return CostCeiling(f"{may}, and ${left:.6f} is left of max_cost_usd.")
