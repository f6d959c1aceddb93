"""Opens the runtime when the server starts and closes it, books first, at the end."""

import asyncio
import time
from random import Random
from typing import Protocol

import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connections

from gateway.aftercare import Aftercare
from gateway.aliases import AliasReader, Known
from gateway.asgi.guard import Receive, Send
from gateway.cache_rows import StoredAnswer
from gateway.errors import ShuttingDown
from gateway.ledger.books import Books
from gateway.ledger.journal import Journal
from gateway.ledger.replay import replay
from gateway.ledger.writer import Writer
from gateway.limits.counters import Counters
from gateway.metrics import Metrics
from gateway.pairs import Pairs
from gateway.providers.http import HttpClient
from gateway.runtime import snapshot as snapshots
from gateway.runtime.admission import Admission
from gateway.runtime.complaints import Complaints
from gateway.runtime.learner import Learner
from gateway.runtime.persistence import restore, stored_answers
from gateway.runtime.prober import Prober
from gateway.runtime.refresher import Refresher
from gateway.runtime.runtime import Runtime
from gateway.runtime.snapshot import Snapshot
from gateway.shared.shared import Shared

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
        """The grace is over: readers still waiting get an error, not a cut."""
        self.runtime.inflight.fail_all(
            ShuttingDown("The gateway stopped before the answer was complete.")
        )

    async def open(self) -> None:
        first, answers = await sync_to_async(prepare, thread_sensitive=False)()
        journal = Journal(settings.JOURNAL_DIR, settings.JOURNAL_MAX_BYTES)
        loop = asyncio.get_running_loop()
        random = Random()  # noqa: S311 - for jitter and picking, never for secrets
        metrics = Metrics()
        shared = shared_state(random)
        self.runtime = runtime = Runtime(
            first,
            Books(
                journal,
                metrics,
                time.monotonic,
                time.time,
                serve_when_full=settings.ON_STORAGE_FULL == "serve",
            ),
            HttpClient(allow_private=settings.PRIVATE_UPSTREAMS == "allow"),
            Admission(
                settings.MAX_IN_FLIGHT,
                settings.MAX_BODY_BYTES,
                settings.MAX_HELD_BYTES,
                random,
            ),
            metrics,
            shared=shared,
            counters=counters(shared),
            workers=settings.WORKERS,
            loopback=is_loopback(settings.ADDR),
            clock=time.monotonic,
            random=random,
        )

        def apply(new: Snapshot) -> None:
            loop.call_soon_threadsafe(runtime.apply, new)

        def forget(scope: str, request_id: str) -> None:
            loop.call_soon_threadsafe(runtime.cache.forget, scope, request_id)

        def on_flush() -> None:
            runtime.totals.read(snapshots.utc_now().date())
            runtime.persistence.flush(runtime.snapshot.catalog.policy)

        def know(aliases: Known) -> None:
            loop.call_soon_threadsafe(
                runtime.cache.know_aliases, aliases.roots, aliases.refused
            )

        aftercare = Aftercare(runtime)
        runtime.after_reuse = aftercare.reused
        runtime.after_purchase = aftercare.bought
        runtime.after_answer = Pairs(runtime).answered
        restore(answers, runtime.cache, time.monotonic(), time.time())
        runtime.cache.withdraw(first.withdrawals)
        complaints, aliases = Complaints(forget), AliasReader(know, time.monotonic)

        def look() -> None:
            complaints.look()
            aliases.look()

        self._refresher = Refresher(first, apply, look)
        self._writer = Writer(
            journal,
            lambda: runtime.snapshot.catalog.policy.log_retention_days,
            on_flush=on_flush,
            content_days=lambda: (
                runtime.snapshot.catalog.policy.contents_retention_days
            ),
        )
        runtime.trouble = self.trouble
        self._refresher.start()
        self._writer.start()
        self._prober = Prober(runtime)
        self._learner = Learner(runtime)
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
        if unpriced := self.runtime.snapshot.catalog.unpriced:
            names = ", ".join(backend.name for backend in unpriced)
            found.append(f"Without a price, so missing in every sum: {names}.")
        if self._refresher and self._refresher.refused:
            found.append(
                f"The newest configuration is refused: {self._refresher.refused}"
            )
        if self._refresher and self._refresher.unreachable_since is not None:
            found.append("The database can't be read; the last configuration serves.")
        if self._writer and self._writer.behind_since is not None:
            found.append("The database can't be written; records wait in the journal.")
        if self._writer and self._writer.rejected:
            found.append(f"{self._writer.rejected} records could not be stored.")
        if brain := self.runtime.snapshot.catalog.brain:
            found += self.runtime.drift.alarms(brain.deciding)
        if self.runtime.shared and not self.runtime.shared.state.usable:
            found.append("Redis can't be used; each worker is on its own.")
        return found


def prepare() -> tuple[Snapshot, list[StoredAnswer]]:
    """Bring in what a killed process left behind, then read the configuration and the
    answers that were kept."""
    try:
        replay(settings.JOURNAL_DIR)
        snapshot = snapshots.build(snapshots.utc_now())
        return snapshot, stored_answers(snapshot.catalog.policy, time.time())
    finally:
        connections.close_all()


def shared_state(random: Random) -> Shared | None:
    """What the workers share through Redis, when there is one."""
    if not settings.REDIS_URL:
        return None
    from gateway.shared.redis_state import RedisState  # megabytes that few need

    state = RedisState(settings.REDIS_URL, settings.REDIS_TIMEOUT_MS / 1000)
    return Shared(state, settings.SECRET_KEY, time.monotonic, random)


def counters(shared: Shared | None) -> list[Counters]:
    """Who counts what all workers may spend together; a worker that is alone does it
    itself."""
    if not shared and settings.WORKERS == 1:
        return []
    from gateway.limits.in_database import DatabaseCounters

    in_database = DatabaseCounters()
    if not shared:
        return [in_database]
    from gateway.limits.in_redis import RedisCounters

    link = shared.state.link  # type: ignore[attr-defined]
    return [
        RedisCounters(link, shared.seal, in_database.spent, time.time),
        in_database,
    ]


def is_loopback(addr: str) -> bool:
    host = addr.rpartition(":")[0].strip("[]")
    return host in ("localhost", "::1") or host.startswith("127.")
