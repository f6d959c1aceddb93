"""Settlements on their way to counters outside this process."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

from gateway.limits.counters import Aside, Count, CountersDown, Full, Settlement

Settle = Callable[[Sequence[Settlement]], Awaitable[None]]
# Kept while nobody takes them. Beyond it what was set aside stands until its window
# ends, which is too much counted, never too little.
MOST_OWED = 10_000
AT_ONCE = 500
PAUSE_SECONDS = 1.0


class Settling:
    """Makes each settlement in the background, again and again until it is taken. Those
    that came while another one was made are made together: one by one they would fall
    behind the calls, and what they give back would be missing."""

    def __init__(self, settle: Settle) -> None:
        self._settle = settle
        self._owed: list[Settlement] = []
        self._added = self._taken = self._failures = 0
        self._round = asyncio.Event()  # set at its end
        self._task: asyncio.Task[None] | None = None
        self._left: set[asyncio.Future[list[Count]]] = set()  # by their callers
        self._closing = asyncio.Event()

    def add(self, marks: Sequence[Aside], spent: Sequence[int]) -> None:
        if len(self._owed) < MOST_OWED:
            self._owed.append((marks, spent))
            self._added += 1
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._work())

    @property
    def owes(self) -> bool:
        return bool(self._owed)

    async def caught_up(self) -> None:
        """What is owed by now is taken, or found nobody who takes it."""
        due, failures = self._added, self._failures
        while self._taken < due and self._failures == failures:
            if self._task is None or self._task.done():
                return
            await self._round.wait()

    async def unless_cancelled(
        self, reserving: Coroutine[Any, Any, list[Count]], marks: Sequence[Aside]
    ) -> list[Count]:
        """Its counts. When the caller is cancelled, what it set aside is given back."""
        task = asyncio.ensure_future(reserving)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self.give_back(task, marks)
            raise

    def give_back(
        self, reserving: "asyncio.Future[list[Count]]", marks: Sequence[Aside]
    ) -> None:
        """What it sets aside, if it does: nobody waits for it any more."""
        self._left.add(reserving)
        reserving.add_done_callback(lambda done: self._given_up(done, marks))

    async def close(self) -> None:
        """Wait for what is on its way; what is owed is tried once more."""
        await asyncio.gather(*self._left, return_exceptions=True)
        self._closing.set()
        if self._task:
            await asyncio.gather(self._task, return_exceptions=True)
        self._closing.clear()

    def _given_up(
        self, done: "asyncio.Future[list[Count]]", marks: Sequence[Aside]
    ) -> None:
        self._left.discard(done)
        if done.cancelled() or isinstance(done.exception(), Full):
            return
        # What failed may be set aside nevertheless, which only its id can tell.
        if done.exception() is None or marks[0].hold:
            self.add(marks, [0] * len(marks))

    async def _work(self) -> None:
        while self._owed:
            last = self._closing.is_set()
            taken = await self._take_some()
            self._round.set()
            self._round = asyncio.Event()
            if not taken:
                if last:
                    return
                await self._pause()

    async def _take_some(self) -> bool:
        some = self._owed[:AT_ONCE]
        try:
            await self._settle(some)
        except CountersDown:
            self._failures += 1
            return False
        del self._owed[: len(some)]
        self._taken += len(some)
        return True

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), PAUSE_SECONDS)
