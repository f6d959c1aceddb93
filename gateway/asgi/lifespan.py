"""Opens the runtime when the server starts and closes it, books first, at the end."""

import asyncio
import time
from typing import Protocol

import structlog
from asgiref.sync import sync_to_async

from gateway.aftercare import Aftercare
from gateway.asgi.guard import Receive, Send
from gateway.errors import ShuttingDown
from gateway.ledger.writer import Writer
from gateway.limits.estates import Executor
from gateway.pairs import Pairs
from gateway.runtime.assembly import (
    new_executor,
    new_refresher,
    new_runtime,
    new_writer,
    prepare,
)
from gateway.runtime.learner import Learner
from gateway.runtime.listeners import Listeners
from gateway.runtime.persistence import restore
from gateway.runtime.prober import Prober
from gateway.runtime.refresher import Refresher
from gateway.runtime.runtime import Runtime
from routing.counting import counted

log = structlog.get_logger("server")


class Companion(Protocol):
    """What an app above this one runs for as long as the server does."""

    async def open(self, runtime: Runtime) -> None: ...

    async def close(self) -> None: ...


class Lifespan:
    """Owns the runtime and the threads that feed it. `runtime` exists while serving."""

    runtime: Runtime

    def __init__(self, *companions: Companion) -> None:
        self._companions = companions
        self._refresher: Refresher | None = None
        self._writer: Writer | None = None
        self._prober: Prober | None = None
        self._learner: Learner | None = None
        self._executor: Executor | None = None

    async def __call__(self, receive: Receive, send: Send) -> None:
        """The ASGI lifespan protocol."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    await self.open()
                except Exception as error:
                    log.exception("start_failed")
                    await send(
                        {"type": "lifespan.startup.failed", "message": str(error)}
                    )
                    return
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def drain(self) -> None:
        """Readiness fails and nothing new is taken; what runs goes on."""
        if self._writer is None:  # asked to stop while starting: nothing runs yet
            return
        self.runtime.draining = self.runtime.admission.draining = True

    def end_calls(self) -> None:
        """The grace is over: who still waits or sends gets an error, not a cut."""
        self.runtime.reading.end_all()
        self.runtime.inflight.fail_all(
            ShuttingDown("The gateway stopped before the answer was complete.")
        )

    async def open(self) -> None:
        first, answers = await sync_to_async(prepare, thread_sensitive=False)()
        self.runtime = runtime = new_runtime(first)
        aftercare = Aftercare(runtime)
        runtime.listeners = Listeners(
            aftercare.reused, aftercare.bought, Pairs(runtime).answered
        )
        runtime.trouble = self.trouble
        restore(answers, runtime.cache, time.monotonic(), time.time())
        runtime.cache.withdraw(first.withdrawals)
        loop = asyncio.get_running_loop()
        self._refresher = new_refresher(runtime, loop)
        self._writer = new_writer(runtime, loop)
        self._refresher.start()
        self._writer.start()
        self._prober = Prober(runtime)
        self._learner = Learner(runtime)
        self._executor = new_executor(runtime.shared)
        for companion in self._companions:
            await companion.open(runtime)

    async def close(self) -> None:
        """End calls, then store every record they left, then let go of the files."""
        self.drain()
        for companion in self._companions:
            await companion.close()
        if self._prober:
            await self._prober.close()
        if self._learner:
            await self._learner.close()
        if self._executor:
            await self._executor.close()
        await self.runtime.close()
        await asyncio.to_thread(self._close_threads)
        log.info("stopped")

    def _close_threads(self) -> None:
        if self._refresher:
            self._refresher.stop()
        if self._writer:
            self._writer.stop()
            if not self._writer.delete_all():
                log.warning("journal_kept", reason="not all of it could be stored")
            self.runtime.books.journal.close()

    def trouble(self) -> list[str]:
        """What an operator should know, in sentences; empty when all is well."""
        found = list(self.runtime.snapshot.notes)
        if sentence := self.runtime.snapshot.without_price:
            found.append(sentence)
        if self._refresher and self._refresher.refused:
            found.append(
                f"The newest configuration is refused: {self._refresher.refused}"
            )
        if self._refresher and self._refresher.unreachable_since is not None:
            found.append("The database can't be read; the last configuration serves.")
        if self._writer and self._writer.is_behind:
            found.append("The database can't be written; records wait in the journal.")
        if self._writer and self._writer.rejected:
            told = counted(self._writer.rejected, "record")
            found.append(f"{told} could not be stored.")
        found += self.runtime.drift.alarms
        if self.runtime.shared and not self.runtime.shared.state.usable:
            found.append("Redis can't be used; each worker is on its own.")
        return found
