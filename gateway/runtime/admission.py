"""Turns requests away while there is still room to say so politely."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import TypeVar

from gateway.errors import Overloaded, ShuttingDown, TooManyRequests
from gateway.ledger.books import Caller

Name = TypeVar("Name", str, int)
# While the process is this full, one scope may not hold more than its share.
CROWDED = 0.5
SCOPE_SHARE = 0.5


class Admission:
    """Bounds the requests under way, of all and of each key, and their body bytes."""

    def __init__(
        self,
        max_in_flight: int,
        max_body_bytes: int,
        max_held_bytes: int,
        random: Random,
    ) -> None:
        self.max_in_flight = max_in_flight
        self.max_body_bytes = max_body_bytes
        self.max_held_bytes = max_held_bytes  # bodies of all requests together
        self.in_flight = 0
        self.held_bytes = 0
        self.by_scope: Counter[str] = Counter()
        self.by_key: Counter[int] = Counter()
        self.draining = False
        self._random = random

    @contextmanager
    def admit(self, caller: Caller) -> Iterator[None]:
        """Hold a place for one request. Raises 429 or 503 with Retry-After."""
        self._check(caller)
        self.in_flight += 1
        self.by_scope[caller.scope] += 1
        self.by_key[caller.key_id] += 1
        try:
            yield
        finally:
            self.in_flight -= 1
            release(self.by_scope, caller.scope)
            release(self.by_key, caller.key_id)

    @contextmanager
    def hold_bytes(self, size: int) -> Iterator[None]:
        """Reserve memory for a body before it is read."""
        if self.held_bytes + size > self.max_held_bytes:
            raise Overloaded(
                "Too many large requests at once. Try again shortly.",
                retry_after=self._soon(),
            )
        self.held_bytes += size
        try:
            yield
        finally:
            self.held_bytes -= size

    def _check(self, caller: Caller) -> None:
        if self.draining:
            raise ShuttingDown("The gateway is stopping.", retry_after=self._soon())
        if self.in_flight >= self.max_in_flight:
            raise Overloaded(
                "The gateway is at its limit of concurrent requests.",
                retry_after=self._soon(),
            )
        if caller.max_in_flight and self.by_key[caller.key_id] >= caller.max_in_flight:
            raise TooManyRequests(
                f"This key may have {caller.max_in_flight} requests at the same time.",
                retry_after=self._soon(),
            )
        crowded = self.in_flight >= CROWDED * self.max_in_flight
        share = SCOPE_SHARE * self.max_in_flight
        if crowded and len(self.by_scope) > 1 and self.by_scope[caller.scope] >= share:
            raise TooManyRequests(
                "The gateway is busy and this key or team holds its share of it.",
                retry_after=self._soon(),
            )

    def _soon(self) -> float:
        # Jittered, so that those turned away together don't come back together.
        return 1 + self._random.random() * 2


def release(counts: Counter[Name], name: Name) -> None:
    counts[name] -= 1
    if counts[name] <= 0:
        del counts[name]
