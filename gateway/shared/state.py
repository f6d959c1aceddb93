"""The operations on shared state; `redis_state.py` does them in Redis.

Names are short strings, values are bytes that this module's users seal themselves.
Nothing here is trusted to be what was put in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class SharedStateDown(Exception):
    """The shared state can't be used now; go on as if there were none."""


@dataclass(frozen=True, slots=True)
class Found:
    """A value, under which of the names asked for, and how long it stays."""

    name: str
    value: bytes
    seconds: float


@dataclass(frozen=True, slots=True)
class Claim:
    """Who leads a call now. `found` is an answer stored before we could claim it."""

    leader: str
    found: Found | None = None


@dataclass(frozen=True, slots=True)
class Pulse:
    """Do we still lead the call, and does another worker wait for it?"""

    leads: bool
    watched: bool


class SharedState(Protocol):
    @property
    def usable(self) -> bool:
        """Is it asked at all at the moment?"""

    async def find(self, names: Sequence[str], max_bytes: int) -> Found | None:
        """The value of the first name that has one of at most `max_bytes`."""

    async def put(self, names: Sequence[str], value: bytes, seconds: float) -> None:
        """Keep a value under its first name; the others lead to it."""

    async def forget(self, names: Sequence[str]) -> None:
        """Delete what these names hold."""

    async def claim(
        self,
        call: str,
        owner: str,
        seconds: float,
        answers: Sequence[str] = (),
        max_bytes: int = 0,
    ) -> Claim:
        """Lead a call nobody leads, for `seconds`, and look again for its answer;
        else wait for its leader, who will know that somebody does."""

    async def renew(self, call: str, owner: str, seconds: float) -> Pulse:
        """Lead on for `seconds`, when the call is still ours."""

    async def watch(self, call: str, seconds: float) -> str:
        """Say that we still wait; who leads the call, or ""."""

    async def release(self, call: str, owner: str, *, anyway: bool = False) -> bool:
        """Stop leading unless somebody waits (or `anyway`); whether we stopped."""

    async def append(
        self, stream: str, number: int, value: bytes, first: int, seconds: float
    ) -> None:
        """Add message `number`, and forget those before `first`."""

    async def read(self, stream: str, after: int) -> list[tuple[int, bytes]]:
        """Messages with numbers above `after`, in order."""

    async def close(self) -> None:
        """Let go of the connections."""
