"""Everything one process needs to answer requests, handed down as an argument."""

import asyncio
from collections.abc import Callable, Sequence
from copy import copy
from random import Random
from typing import TYPE_CHECKING, Any

import structlog

from gateway.asked import Asked
from gateway.cache import AnswerCache
from gateway.conversations import Conversations
from gateway.deadlines import Deadlines
from gateway.drift import Drift
from gateway.inflight import InFlight
from gateway.ledger.books import Books
from gateway.limits.charges import Charges
from gateway.limits.counters import Counters
from gateway.metrics import Metrics
from gateway.providers.http import HttpClient
from gateway.reasks import Reasks
from gateway.refusals import Refusals
from gateway.runtime.admission import Admission
from gateway.runtime.background import Background
from gateway.runtime.database import DatabaseThread
from gateway.runtime.listeners import Listeners
from gateway.runtime.persistence import Persistence
from gateway.runtime.snapshot import Snapshot
from gateway.runtime.totals import Totals
from gateway.shared.shared import Shared
from gateway.sidecar import Sidecar
from gateway.thoughts import ThoughtOrigins
from routing.health import Transition
from routing.pool import BackendPool
from routing.retries import RetryBudget

if TYPE_CHECKING:  # it imports numpy
    from routing.learned.router import Router

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

    draining = False

    def __init__(
        self,
        snapshot: Snapshot,
        books: Books,
        http: HttpClient,
        admission: Admission,
        metrics: Metrics,
        *,
        shared: Shared | None = None,
        counters: Sequence[Counters] = (),
        workers: int = 1,
        loopback: bool = True,
        clock: Callable[[], float],
        random: Random,
    ) -> None:
        self.snapshot = snapshot
        self.clock = clock
        self.random = random
        self.books = books
        self.http = http
        self.admission = admission
        self.metrics = metrics
        self.loopback = loopback  # bound to loopback only: one part of open mode
        self.shared = shared  # None: this process is alone, or there is no Redis
        self.charges = Charges(counters, self._spent_before, books.wall, workers)
        self.reasks = Reasks(clock)
        self.totals = Totals()
        self.inflight = InFlight()
        self.background = Background()
        self.database = DatabaseThread("background")  # for what runs in there
        self.persistence = Persistence(books.wall)
        self.listeners = Listeners()
        self.asked = Asked(clock)
        self.cache = AnswerCache(snapshot.catalog.policy, random)
        self.pool = BackendPool(clock, random, log_transition)
        self.thoughts = ThoughtOrigins()
        self.refusals = Refusals()
        self.conversations = Conversations(books.wall, shared)
        self.retries = RetryBudget(snapshot.catalog.policy.retry_budget)
        self.sidecar = Sidecar(http.side, clock)
        self.drift = Drift(self._deciding, clock)
        self.deadlines = http.deadlines  # those of this event loop
        self.reading = Deadlines()  # of bodies that clients are still sending
        self.services: dict[type, Any] = {}  # what apps above keep here, by its type
        self.trouble: Callable[[], list[str]] = list  # what the lifespan's threads say
        self.apply(snapshot)

    def apply(self, snapshot: Snapshot) -> None:
        """Serve this configuration from now on; requests under way keep theirs."""
        self._forget_purged(snapshot)
        self.snapshot = snapshot
        self.pool.sync(snapshot.catalog)
        self.cache.configure(snapshot.catalog.policy)
        self.retries.ratio = snapshot.catalog.policy.retry_budget

    def under(self, snapshot: Snapshot) -> "Runtime":
        """The same pool, cache and books for a request that another configuration of
        these backends decides."""
        other = copy(self)
        other.snapshot = snapshot
        return other

    def _forget_purged(self, snapshot: Snapshot) -> None:
        """Free what no key leads to any more."""
        before = self.snapshot
        if before.fingerprint != snapshot.fingerprint:
            self.cache.purge()
        for scope, fingerprint in snapshot.purged.items():
            if before.purged.get(scope) != fingerprint:
                self.cache.purge(scope)
        if before.withdrawals != snapshot.withdrawals:
            self.cache.withdraw(snapshot.withdrawals)

    async def forget_answer(self, scope: str, request_id: str) -> None:
        """Somebody says that it is wrong: never again from here, nor from Redis."""
        self.cache.forget(scope, request_id)
        if self.shared:
            policy = self.snapshot.catalog.policy
            await self.shared.answers.forget(scope, request_id, policy)

    def _spent_before(self, counter: str) -> int:
        """What a budget's counter stood at when the configuration was read."""
        return self.snapshot.spent.get(counter, 0)

    def _deciding(self) -> "list[Router]":
        brain = self.snapshot.catalog.brain
        return brain.deciding if brain else []

    async def close(self) -> None:
        """End what is still running, its bookkeeping included."""
        await self.background.close()
        await self.database.close()
        await self.inflight.close()
        await self.charges.close()
        await asyncio.gather(self.http.close(), return_exceptions=True)
        if self.shared:
            await self.shared.state.close()
