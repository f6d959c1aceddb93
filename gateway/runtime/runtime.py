"""Everything one process needs to answer requests, handed down as an argument."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

import structlog

from gateway.cache import AnswerCache
from gateway.inflight import InFlight
from gateway.ledger.books import Books
from gateway.metrics import Metrics
from gateway.providers.http import HttpClient
from gateway.runtime.admission import Admission
from gateway.runtime.snapshot import Snapshot
from gateway.runtime.totals import Totals
from gateway.shared.shared import Shared
from gateway.sidecar import Sidecar
from gateway.thoughts import ThoughtOrigins
from routing.health import Transition
from routing.pool import BackendPool
from routing.retries import RetryBudget

log = structlog.get_logger("pool")


def log_transition(backend: str, change: Transition) -> None:
    log.warning(
        "backend_state",
        backend=backend,
        old=change.old,
        new=change.new,
        reason=change.reason,
    )


class Runtime:
    """Counters, cache, calls in flight, clients and books of one process."""

    def __init__(
        self,
        snapshot: Snapshot,
        books: Books,
        http: HttpClient,
        admission: Admission,
        metrics: Metrics,
        *,
        shared: Shared | None = None,
        loopback: bool = True,
        clock: Callable[[], float],
        random: Random,
    ) -> None:
        self.clock = clock
        self.random = random
        self.books = books
        self.http = http
        self.admission = admission
        self.metrics = metrics
        self.loopback = loopback  # bound to loopback only: one part of open mode
        self.shared = shared  # None: this process is alone, or there is no Redis
        self.totals = Totals()
        self.inflight = InFlight()
        self.cache = AnswerCache(snapshot.catalog.policy, random)
        self.pool = BackendPool(clock, random, log_transition)
        self.thoughts = ThoughtOrigins()
        self.retries = RetryBudget(snapshot.catalog.policy.retry_budget)
        self.sidecar = Sidecar(http.side, clock)
        self.deadlines = http.deadlines  # those of this event loop
        self.draining = False
        self.services: dict[type, Any] = {}  # what apps above keep here, by its type
        self.trouble: Callable[[], list[str]] = list  # what the lifespan's threads say
        self.apply(snapshot)

    def apply(self, snapshot: Snapshot) -> None:
        """Serve this configuration from now on; requests under way keep theirs."""
        self.snapshot = snapshot
        self.pool.sync(snapshot.catalog)
        self.cache.configure(snapshot.catalog.policy)
        self.retries.ratio = snapshot.catalog.policy.retry_budget

    async def close(self) -> None:
        """End what is still running, its bookkeeping included."""
        await self.inflight.close()
        await asyncio.gather(self.http.close(), return_exceptions=True)
        if self.shared:
            await self.shared.state.close()
