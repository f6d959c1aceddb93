"""What the runs of one process share: places, measured times, warm prefixes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.ledger.books import Caller
from gateway.runtime.runtime import Runtime
from workflows_app.call import Wishes
from workflows_app.estimates import Facts, Latencies
from workflows_app.gate import Gate
from workflows_app.prompt import Inputs

WARM_SECONDS = 240.0  # providers keep a prompt's prefix for about five minutes
LEADER_SECONDS = 30.0  # nobody waits longer for somebody else's first token
MOST_PREFIXES = 10_000


class Desk:
    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.gate = Gate(runtime.clock)
        self.latencies = Latencies()
        self._leaders: dict[tuple[str, str], asyncio.Event] = {}
        self._warm: dict[tuple[str, str], tuple[str, float]] = {}

    def facts(
        self, inputs: Inputs, caller: Caller, cached: frozenset[str] = frozenset()
    ) -> Facts:
        return Facts(
            self.runtime.snapshot.seen_by(caller).catalog,
            self.latencies,
            inputs,
            cached,
            caller.min_tier,
            caller.max_tier,
        )

    def warm_backend(self, scope: str, prefix: str) -> str:
        """Where this prefix was sent a moment ago, or nothing."""
        backend, at = self._warm.get((scope, prefix), ("", 0.0))
        return backend if self.runtime.clock() - at < WARM_SECONDS else ""

    def warmed(self, scope: str, prefix: str, backend: str) -> None:
        self._warm.pop((scope, prefix), None)
        self._warm[scope, prefix] = backend, self.runtime.clock()
        if len(self._warm) > MOST_PREFIXES:
            del self._warm[next(iter(self._warm))]

    @asynccontextmanager
    async def in_line(
        self, scope: str, prefix: str, wishes: Wishes
    ) -> AsyncIterator[None]:
        """The first call with a cold prefix leads; the others wait for its first
        token, so that the provider has the prefix in its cache when they come."""
        key = scope, prefix
        if not prefix or self.warm_backend(scope, prefix):
            yield
            return
        if leader := self._leaders.get(key):
            try:
                async with asyncio.timeout(LEADER_SECONDS):
                    await leader.wait()
            except TimeoutError:
                pass
            yield
            return
        started = self._leaders[key] = asyncio.Event()
        told = wishes.on_text

        def on_text(piece: str) -> None:
            started.set()
            if told:
                told(piece)

        wishes.on_text = on_text
        try:
            yield
        finally:
            started.set()
            del self._leaders[key]
