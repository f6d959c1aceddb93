"""Counting for all workers in Redis: one script each for setting aside and settling."""

import time
from collections.abc import Awaitable, Callable, Sequence, Set
from typing import Any

from gateway.limits.counters import (
    Aside,
    Count,
    CountersDown,
    Full,
    Inherited,
    Mark,
    Settlement,
)
from gateway.limits.redis_scripts import RESERVE, SETTLE
from gateway.limits.settling import AT_ONCE, Settling
from gateway.shared.link import Link
from gateway.shared.seal import Seal
from gateway.shared.state import SharedStateDown
from routing.chat import Json

PREFIX = "llm-router:"
GRACE_SECONDS = 3600.0  # a call may settle so long after its window
BOOKS_SECONDS = 5.0
MOST_NAMES = 10_000
KNOWN = -1  # instead of the books' word: the counter must be there

Books = Callable[[Sequence[Mark]], Awaitable[dict[str, int]]]


class RedisCounters:
    """`books` says what each counter must at least stand at; it is asked for the first
    use of a counter, and again when Redis was away or has lost it. `owner` is the
    journal of the process that makes the calls; `leave` is told at the end when Redis
    was away and what was set aside stands there."""

    def __init__(
        self,
        link: Link,
        seal: Seal,
        books: Books,
        wall: Callable[[], float],
        *,
        owner: str = "",
        leave: Callable[[str], None] = lambda owner: None,
        books_seconds: float = BOOKS_SECONDS,
    ) -> None:
        self._link = link
        self._seal = seal
        self._books = books
        self._wall = wall
        self._owner = owner
        self._owner_key = self._key("limit-owner", owner)
        self._leave = leave
        self._books_seconds = books_seconds
        self._reserving = link.redis.register_script(RESERVE)
        self._giving = link.redis.register_script(SETTLE)
        self._settling = Settling(self._settle)
        # When each counter was last not below the books: others may count elsewhere.
        self._known: dict[str, float] = {}
        self._failures = link.failures
        self._tried: set[str] = set()  # holds whose settlement got no answer

    @property
    def usable(self) -> bool:
        return self._link.up

    async def reserve(self, marks: Sequence[Mark]) -> list[Count]:
        return await self._settling.unless_cancelled(self._reserve(marks), marks)

    def settle(self, marks: Sequence[Mark], spent: Sequence[int]) -> None:
        self._settling.add(marks, spent)

    async def inherit(self, settlements: Sequence[Settlement]) -> None:
        """Settle what the owner, who is gone, may have settled itself. Raises
        CountersDown."""
        for start in range(0, len(settlements), AT_ONCE):
            some = settlements[start : start + AT_ONCE]
            await self._give(some, holds_of(some), void=False)

    async def give_back(self) -> None:
        """All that the owner, who is gone, has still set aside. Raises CountersDown."""
        found = await self._ask(self._link.redis.hgetall, self._owner_key)
        holds = [self._seal.open(self._owner_key, each) for each in found.values()]
        await self.inherit([nothing_of(hold) for hold in holds if hold])

    async def caught_up(self) -> None:
        if self.usable:
            await self._settling.caught_up()

    async def close(self) -> None:
        await self._settling.close()
        if self._settling.owes:
            self._leave(self._owner)

    async def _reserve(self, marks: Sequence[Mark]) -> list[Count]:
        asked = self._link.up
        try:
            return await self._set_aside(marks)
        except CountersDown:
            # It may be set aside, and another counts now. Without an id nobody could
            # tell: a look, or a request that a minute forgets.
            if asked and any(mark.hold for mark in marks):
                self._settling.add(marks, [0] * len(marks))
            raise

    async def _set_aside(self, marks: Sequence[Mark]) -> list[Count]:
        counts = await self._try(marks)
        if counts is None:  # Redis came back without them
            self._known.clear()
            counts = await self._try(marks)
        if counts is None:
            raise CountersDown("Redis forgets its counters.")
        return counts

    async def _try(self, marks: Sequence[Mark]) -> list[Count] | None:
        begins = await self._begins(marks)
        hold = marks[0].hold
        args: list[int | str | bytes] = [hold, self._written(marks) if hold else ""]
        for mark in marks:
            left = mark.window.end - self._wall() + GRACE_SECONDS
            least, again = begins.get(mark.name, KNOWN), int(mark.name in self._known)
            args += (mark.amount, mark.limit, least, again, max(1, int(left * 1000)))
        said = await self._run(self._reserving, marks, args)
        if said[0] == b"missing":
            return None
        if said[0] == b"void":
            raise CountersDown("It was given up before Redis heard of it.")
        self._known.update(dict.fromkeys(begins, time.monotonic()))
        numbers = [int(number) for number in said[1:]]
        if said[0] == b"full":
            place, spent, reserved = numbers
            raise Full(marks[place - 1], Count(spent, reserved))
        return [
            Count(*numbers[place : place + 2]) for place in range(0, len(numbers), 2)
        ]

    async def _begins(self, marks: Sequence[Mark]) -> dict[str, int]:
        """What the counters that we don't know yet must at least stand at."""
        if self._failures != self._link.failures or len(self._known) > MOST_NAMES:
            self._failures = self._link.failures
            self._known.clear()
        since = time.monotonic() - self._books_seconds
        unknown = [mark for mark in marks if self._known.get(mark.name, since) <= since]
        if not unknown:
            return {}
        budgets = [mark for mark in unknown if mark.rule.is_budget]
        try:
            spent = await self._books(budgets) if budgets else {}
        except CountersDown:
            # No books: trust Redis, and these counters in it only when they are there.
            return {mark.name: 0 for mark in unknown if not mark.rule.is_budget}
        return {mark.name: spent.get(mark.name, 0) for mark in unknown}

    async def _settle(self, settlements: Sequence[Settlement]) -> None:
        asked, holds = self._link.up, holds_of(settlements)
        try:
            await self._give(settlements, self._tried)
        except CountersDown:
            if asked:
                self._tried |= holds
            raise
        self._tried -= holds

    async def _give(
        self, settlements: Sequence[Settlement], tried: Set[str], *, void: bool = True
    ) -> None:
        """`void`: what isn't set aside can't be any more."""
        args: list[int | str | bytes] = [int(void)]
        for asides, spent in settlements:
            for aside, came_to in zip(asides, spent, strict=True):
                args += (aside.amount, came_to, aside.hold, int(aside.hold in tried))
        asides = [aside for asides, _ in settlements for aside in asides]
        await self._run(self._giving, asides, args)

    def _written(self, marks: Sequence[Mark]) -> bytes:
        """What the heir needs to give back a hold whose call never left."""
        asides = [(mark.name, mark.amount) for mark in marks]
        value = {"hold": marks[0].hold, "asides": asides}
        return self._seal.close([self._owner_key], value)

    async def _run(
        self,
        script: Callable[..., Awaitable[Any]],
        asides: Sequence[Aside],
        args: list[int | str | bytes],
    ) -> list[bytes]:
        keys = [self._key("limit", aside.name) for aside in asides]
        answer: list[bytes] = await self._ask(
            script, keys=[self._owner_key, *keys], args=args
        )
        return answer

    async def _ask(
        self, command: Callable[..., Awaitable[Any]], *args: str, **kwargs: object
    ) -> Any:
        try:
            return await self._link.run(command, *args, **kwargs)
        except SharedStateDown as error:
            raise CountersDown(str(error)) from error

    def _key(self, kind: str, name: str) -> str:
        return PREFIX + self._seal.name(kind, name.encode())


def nothing_of(hold: Json) -> Settlement:
    """Its call never left."""
    asides = [
        Inherited(name, amount, hold["hold"]) for name, amount, *_ in hold["asides"]
    ]
    return asides, [0] * len(asides)


def holds_of(settlements: Sequence[Settlement]) -> set[str]:
    return {asides[0].hold for asides, _ in settlements} - {""}
