"""Many deadlines under one timer.

A timer of the event loop costs several microseconds to set and to cancel, and a request
would need five that hardly ever go off. Here a deadline is an entry in a dictionary,
looked at every TICK seconds, and moving it is an assignment.
"""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

TICK = 0.02  # seconds a deadline may be late by


class Deadlines:
    """Those of one event loop. Costs nothing while there are none."""

    def __init__(self) -> None:
        self._open: dict[int, Deadline | Alarm] = {}
        self._ticking = False
        self.ended = False  # by `end_all`, whatever the time

    def within(self, seconds: float) -> "Deadline":
        """`with deadlines.within(5):` ends what is inside with a TimeoutError."""
        return Deadline(self, seconds)

    def add(
        self, deadline: "Deadline | Alarm", loop: asyncio.AbstractEventLoop
    ) -> None:
        self._open[id(deadline)] = deadline
        if not self._ticking:
            self._ticking = True
            loop.call_later(TICK, self._tick, loop)

    def remove(self, entry: "Deadline | Alarm") -> None:
        del self._open[id(entry)]

    def end_all(self) -> None:
        """As if the time of all that are open had come."""
        self.ended = True
        for entry in list(self._open.values()):
            entry.expire()

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for entry in list(self._open.values()):
            if entry.at <= now:
                entry.expire()
        self._ticking = bool(self._open)
        if self._ticking:
            loop.call_later(TICK, self._tick, loop)


class Alarm:
    """Calls `expire` at `at` (event loop's time), until it is put off or removed."""

    __slots__ = ("at", "expire")

    def __init__(self, at: float, expire: Callable[[], None]) -> None:
        self.at = at
        self.expire = expire


class Deadline:
    """As asyncio.timeout: its expiry cancels the task, and leaves as TimeoutError.

    `at` is in the event loop's time and may be moved, by `extend` or directly.
    """

    __slots__ = ("at", "_deadlines", "_seconds", "_task", "_loop", "_asked", "_expired")

    def __init__(self, deadlines: Deadlines, seconds: float) -> None:
        self._deadlines = deadlines
        self._seconds = seconds

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("A deadline needs a task that it can end.")
        self._task = task
        self._asked = task.cancelling()
        self._expired = False
        self._loop = task.get_loop()
        self.at = self._loop.time() + self._seconds
        self._deadlines.add(self, self._loop)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._deadlines.remove(self)
        if not self._expired:
            return
        nobody_else = self._task.uncancel() <= self._asked
        if nobody_else and isinstance(error, asyncio.CancelledError):
            raise TimeoutError from error

    @property
    def passed(self) -> bool:
        return self._expired

    def extend(self, seconds: float) -> None:
        """So many seconds from now."""
        self.at = self._loop.time() + seconds

    def expire(self) -> None:
        self.at = float("inf")  # once
        self._expired = True
        self._task.cancel()
