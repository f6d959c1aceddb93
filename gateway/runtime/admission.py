"""Turns requests away while there is still room to say so politely."""

from collections import Counter
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

    def admit(self, caller: Caller, body_bytes: int = 0) -> "Place":
        """A place for one request, and memory for its body before that is read.

        Entering it raises 429 or 503 with Retry-After when there is none.
        """
        return Place(self, caller, body_bytes)

    def check(self, caller: Caller, body_bytes: int) -> None:
        """Raise unless there is room."""
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
        if self.held_bytes + body_bytes > self.max_held_bytes:
            raise Overloaded(
                "Too many large requests at once. Try again shortly.",
                retry_after=self._soon(),
            )

    def _soon(self) -> float:
        # Jittered, so that those turned away together don't come back together.
        return 1 + self._random.random() * 2


class Place:
    """What one request holds, from `with` to its end."""

    __slots__ = ("_admission", "_caller", "_bytes")

    def __init__(self, admission: Admission, caller: Caller, body_bytes: int) -> None:
        self._admission = admission
        self._caller = caller
        self._bytes = body_bytes

    def __enter__(self) -> None:
        admission, caller = self._admission, self._caller
        admission.check(caller, self._bytes)
        admission.in_flight += 1
        admission.held_bytes += self._bytes
        admission.by_scope[caller.scope] += 1
        admission.by_key[caller.key_id] += 1

    def __exit__(self, *error: object) -> None:
        admission, caller = self._admission, self._caller
        admission.in_flight -= 1
        admission.held_bytes -= self._bytes
        release(admission.by_scope, caller.scope)
        release(admission.by_key, caller.key_id)


def release(counts: Counter[Name], name: Name) -> None:
    left = counts[name] - 1
    if left > 0:
        counts[name] = left
    else:
        counts.pop(name)  # `del` of a Counter is a function in Python
