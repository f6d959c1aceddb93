"""What an upstream has seen, for tests to read and to wait for."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from tests.faultllm.journal import Attempt, Journal, Outcome, digest


class Books:
    """`attempts` are the last `keep` ones, the journal has all; `total` counts them.

    `probes` counts the free `GET /v1/models`, `strays` requests for anything else.
    """

    def __init__(
        self,
        journal: Path | str | None = None,
        clock: Callable[[], float] = time.time,
        keep: int = 10_000,
    ) -> None:
        self.total = self.probes = self.strays = 0
        self.connections = self.in_flight = self.max_concurrent = self.holding = 0
        self._attempts: deque[Attempt] = deque(maxlen=keep)
        self._digests: set[str] = set()
        self._journal = Journal(journal)
        self._clock = clock
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    @property
    def attempts(self) -> list[Attempt]:
        return list(self._attempts)

    def requests_for(self, model: str) -> list[Attempt]:
        return [attempt for attempt in self.attempts if attempt.model == model]

    def saw_key(self, secret: str) -> bool:
        """Did any request carry this credential?"""
        return digest(secret) in self._digests

    async def until(self, condition: Callable[[], bool], timeout: float = 60) -> None:
        """Wait, without sleeping, for something to have happened here."""
        if condition():
            return
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = (condition, reached)
        self._waiting.append(waiting)
        try:
            await asyncio.wait_for(reached, timeout)
        finally:
            self._waiting.remove(waiting)

    def _changed(self) -> None:
        for condition, reached in self._waiting:
            if not reached.done() and condition():
                reached.set_result(None)

    def _received(self, attempt: Attempt, digests: dict[str, str]) -> None:
        attempt.received_at = self._clock()
        self.in_flight += 1
        self.max_concurrent = max(self.max_concurrent, self.in_flight)
        self._digests.update(digests.values())
        self._attempts.append(attempt)
        self._journal.received(attempt)
        self._changed()

    def _finished(self, attempt: Attempt, outcome: Outcome) -> None:
        attempt.outcome = outcome
        if not attempt.bytes_out:
            attempt.status = 0
        attempt.finished_at = self._clock()
        if outcome == "peer-closed":
            attempt.peer_closed_at = attempt.finished_at
        self.in_flight -= 1
        self._journal.finished(attempt)
        self._changed()
