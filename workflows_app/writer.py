"""Writes the rows of this process's runs: one thread, one connection, one transaction
for all that waits at a time."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import structlog
from django.db import Error as DatabaseError

from gateway.errors import StorageFull
from gateway.runtime.database import DatabaseThread
from workflows_app import store
from workflows_app.run import Run
from workflows_app.spending import Room

log = structlog.get_logger("workflows")
WRITE_AGAIN = (0.1, 0.5, 2.0)  # seconds between attempts
# So late, and so seldom, what goes on is written: an op that is sooner done costs one
# write only.
MARK_SECONDS = 0.25
P = ParamSpec("P")
T = TypeVar("T")


class Writer:
    """`call` runs anything in the thread; `keep` writes an op that has ended, `mark`
    one that goes on, each together with others."""

    def __init__(self) -> None:
        self._thread = DatabaseThread("runs")
        self.call = self._thread.call
        self._waiting: list[tuple[Run, str]] = []
        self._flush: asyncio.Task[None] | None = None
        self._marked: dict[tuple[Run, str], None] = {}
        self._marking: asyncio.Task[None] | None = None

    async def create(
        self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Write what must be there before anything is done. Raises StorageFull."""
        try:
            return await self.call(function, *args, **kwargs)
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

    def mark(self, run: Run, name: str) -> None:
        """For those who look at the rows; nobody waits for that."""
        self._marked[run, name] = None
        if self._marking is None or self._marking.done():
            self._marking = asyncio.create_task(self._write_marked())

    async def _write_marked(self) -> None:
        while self._marked:
            await asyncio.sleep(MARK_SECONDS)
            marked, self._marked = self._marked, {}
            rows = [
                store.op_row(run, name)
                for run, name in marked
                if run.ops[name].status == "running" and not run.lost
            ]
            if rows:
                await self.persist(store.save_running, rows)

    async def spend(self, run: Run) -> Room:
        """Write what a run may have spent, before the call that may cost it; whether
        its batch has room for that. Raises StorageFull."""
        return await self.create(store.save_spending, run)

    async def _write_waiting(self) -> None:
        batch = list(self._waiting)
        rows = [store.op_row(run, name) for run, name in dict.fromkeys(batch)]
        runs = list(dict.fromkeys(run for run, _ in batch))
        await self.persist(store.save_progress, rows, runs)
        del self._waiting[: len(batch)]

    async def close(self) -> None:
        if self._marking:
            self._marking.cancel()
            await asyncio.wait((self._marking,))
        await self._thread.close()
