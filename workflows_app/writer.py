"""Writes the rows of this process's runs: one thread, one connection, one transaction
for all that waits at a time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

import structlog
from django.db import Error as DatabaseError
from django.db import connection

from gateway.errors import StorageFull
from workflows_app import store
from workflows_app.run import Run

log = structlog.get_logger("workflows")
WRITE_AGAIN = (0.1, 0.5, 2.0)  # seconds between attempts
P = ParamSpec("P")
T = TypeVar("T")


def close_connection() -> None:
    connection.close()  # of the thread that runs this


class Writer:
    """`call` runs anything in the thread; `keep` writes an op, together with others."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="runs")
        self._waiting: list[tuple[Run, str]] = []
        self._flush: asyncio.Task[None] | None = None

    async def call(
        self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        def work() -> T:
            try:
                return function(*args, **kwargs)
            except DatabaseError:
                connection.close()  # it may be the connection that is broken
                raise

        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def create(
        self, function: Callable[P, None], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Write what must be there before anything is done. Raises StorageFull."""
        try:
            await self.call(function, *args, **kwargs)
        except DatabaseError as error:
            log.warning("run_not_created", error=str(error))
            raise StorageFull("The run can't be written down now.") from error

    async def persist(
        self, function: Callable[P, None], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """As `call`, again after an error; in the end the run matters more."""
        for seconds in (*WRITE_AGAIN, None):
            try:
                return await self.call(function, *args, **kwargs)
            except DatabaseError as error:
                if seconds is None:
                    log.warning("run_not_written", error=str(error))
                    return None
                await asyncio.sleep(seconds)

    async def keep(self, run: Run, name: str) -> None:
        """Returns when the op is written, or can't be."""
        self._waiting.append((run, name))
        while (run, name) in self._waiting:
            if self._flush is None or self._flush.done():
                self._flush = asyncio.create_task(self._write_waiting())
            await asyncio.shield(self._flush)

    async def spend(self, run: Run) -> None:
        """Write what a run may have spent, before the call that may cost it. Raises
        StorageFull."""
        await self.create(store.save_spending, run)

    async def _write_waiting(self) -> None:
        batch = list(self._waiting)
        rows = [store.op_row(run, name) for run, name in dict.fromkeys(batch)]
        runs = list(dict.fromkeys(run for run, _ in batch))
        await self.persist(store.save_progress, rows, runs)
        del self._waiting[: len(batch)]

    async def close(self) -> None:
        await self.call(close_connection)
        self._thread.shutdown()
