"""The thread that counts in the database: a slow one is waited for, a stuck one is
down."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import structlog
from django.db import Error as DatabaseError
from django.db import connection, transaction

from gateway.limits.counters import CountersDown

log = structlog.get_logger("limits")
# Nothing that waits is given up while something ends within this: who counted alone
# beside workers that still count in common would pass a budget.
PATIENCE_SECONDS = 10.0
PAUSE_SECONDS = 1.0  # between looks whether a database that failed is back


class CountingThread:
    """One connection, kept as long as it works; one transaction at a time, in order.
    `up` tells whether it is asked at all."""

    def __init__(
        self,
        look: Callable[[], object],
        patience: float = PATIENCE_SECONDS,
        pause: float = PAUSE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.up = True
        self._look = look
        self._patience = patience
        self._pause = pause
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="limits")
        self._moved_at = 0.0  # when a transaction last began or ended
        self._failures = 0
        self._looking: asyncio.Task[None] | None = None

    def submit(self, work: Callable[..., Any], *args: object) -> "Future[Any]":
        return self._thread.submit(self._do, work, *args)

    async def end_of(self, work: "Future[Any]", for_ever: bool = False) -> Any:
        """What the work gives. Raises CountersDown; unless it was `for_ever`, the work
        may still be under way then."""
        asked = asyncio.wrap_future(work)
        try:
            if not for_ever:
                await self._in_time(asked)
            answer = await asked
        except (DatabaseError, TimeoutError) as error:
            self._fail(str(error))
            raise CountersDown(str(error)) from error
        self.up = True
        return answer

    async def close(self) -> None:
        """After what is under way."""
        if self._looking:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await asyncio.get_running_loop().run_in_executor(self._thread, let_go)
        self._thread.shutdown(wait=False)

    def _do(self, work: Callable[..., Any], *args: object) -> Any:
        self._moved_at = self._clock()
        try:
            with transaction.atomic():
                return work(*args)
        except DatabaseError:
            connection.close()
            raise
        finally:
            self._moved_at = self._clock()

    async def _in_time(self, asked: "asyncio.Future[Any]") -> None:
        asked.add_done_callback(heard)
        failures, since = self._failures, self._clock()
        while not asked.done():
            left = max(since, self._moved_at) + self._patience - self._clock()
            if left <= 0 or failures != self._failures:
                raise TimeoutError(f"nothing was done for {self._patience:g} s")
            await asyncio.wait((asked,), timeout=min(left, self._pause))

    def _fail(self, reason: str) -> None:
        self._failures += 1
        if self.up:
            self.up = False
            log.warning("limits_not_counted_in_database", error=reason)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._look_again())

    async def _look_again(self) -> None:
        while not self.up:
            await asyncio.sleep(self._pause)
            try:
                await asyncio.wrap_future(self.submit(self._look))
            except DatabaseError:
                continue
            self.up = True
        log.info("limits_counted_in_database_again")


def heard(asked: "asyncio.Future[Any]") -> None:
    """Nobody may be there any more to hear of its failure."""
    if not asked.cancelled():
        asked.exception()


def let_go() -> None:
    connection.close()  # this thread's
