"""Counting for all workers in Redis: one script each for setting aside and settling."""

import time
from collections.abc import Awaitable, Callable, Sequence

from gateway.limits.counters import (
    Aside,
    Count,
    CountersDown,
    Full,
    Mark,
    Settlement,
)
from gateway.limits.settling import Settling
from gateway.shared.link import Link
from gateway.shared.seal import Seal
from gateway.shared.state import SharedStateDown

PREFIX = "llm-router:"
GRACE_SECONDS = 3600.0  # a call may settle so long after its window
BOOKS_SECONDS = 5.0
MOST_NAMES = 10_000
KNOWN = -1  # instead of the books' word: the counter must be there

# Six arguments per key: amount, limit, what the books say (or -1), 1 when they were
# asked before, lifetime in ms, the hold's id (or ""). The id is a field of the counter
# until it is settled, so it goes with its window at the latest; a hold that is there is
# not set aside again. Books may be ahead of a settlement that is on its way, which must
# not count twice: when they are asked again, what is set aside is taken for spent.
# What isn't two numbers is nobody's counter.
RESERVE = """
local counts = {}
for i, key in ipairs(KEYS) do
  local begins, again = tonumber(ARGV[6 * i - 3]), ARGV[6 * i - 2] == '1'
  local ms, hold = ARGV[6 * i - 1], ARGV[6 * i]
  local found = redis.pcall('HMGET', key, 's', 'r')
  local spent, reserved
  if not found.err then
    spent, reserved = tonumber(found[1] or ''), tonumber(found[2] or '')
  end
  if not spent or not reserved then
    if begins < 0 then return {'missing'} end
    redis.call('DEL', key)
    spent, reserved = begins, 0
  end
  local least = begins
  if again then least = begins - reserved end
  if spent < least then spent = least end
  redis.call('HSET', key, 's', string.format('%.0f', spent),
    'r', string.format('%.0f', reserved))
  redis.call('PEXPIRE', key, ms)
  local held = hold ~= '' and redis.call('HEXISTS', key, 'h:' .. hold) == 1
  counts[i] = {spent, reserved, held}
end
for i = 1, #KEYS do
  local amount, limit = tonumber(ARGV[6 * i - 5]), tonumber(ARGV[6 * i - 4])
  local spent, reserved = counts[i][1], counts[i][2]
  if not counts[i][3] and spent + reserved + amount > limit then
    return {'full', i, string.format('%.0f', spent), string.format('%.0f', reserved)}
  end
end
local answer = {'fits'}
for i, key in ipairs(KEYS) do
  local amount, hold = tonumber(ARGV[6 * i - 5]), ARGV[6 * i]
  if counts[i][3] then amount = 0 end
  answer[2 * i] = string.format('%.0f', counts[i][1])
  answer[2 * i + 1] = string.format('%.0f', counts[i][2] + amount)
  redis.call('HSET', key, 'r', answer[2 * i + 1])
  if hold ~= '' then redis.call('HSET', key, 'h:' .. hold, '1') end
end
return answer
"""
# Four per key: what was set aside, what it came to, the hold's id (or ""), and 1 when
# it was tried before. A counter that is gone, or was begun anew meanwhile, has nothing
# set aside to give back. The cost of an unknown hold is counted at the first try only:
# at a later one it was most likely taken and its answer lost. Had Redis been emptied
# instead, the books raise a budget to what was spent; what is counted twice stays.
SETTLE = """
for i, key in ipairs(KEYS) do
  local amount, cost = tonumber(ARGV[4 * i - 3]), tonumber(ARGV[4 * i - 2])
  local hold, again = ARGV[4 * i - 1], ARGV[4 * i] == '1'
  local found = redis.pcall('HMGET', key, 's', 'r')
  local spent = not found.err and tonumber(found[1] or '')
  local reserved = not found.err and tonumber(found[2] or '')
  if spent and reserved then
    if hold ~= '' and redis.call('HDEL', key, 'h:' .. hold) == 0 then
      amount = 0
      if again then cost = 0 end
    end
    redis.call('HSET', key, 's', string.format('%.0f', spent + cost),
      'r', string.format('%.0f', math.max(0, reserved - amount)))
  end
end
"""
Books = Callable[[Sequence[Mark]], Awaitable[dict[str, int]]]


class RedisCounters:
    """`books` says what each counter must at least stand at; it is asked for the first
    use of a counter, and again when Redis was away or has lost it."""

    def __init__(
        self,
        link: Link,
        seal: Seal,
        books: Books,
        wall: Callable[[], float],
        books_seconds: float = BOOKS_SECONDS,
    ) -> None:
        self._link = link
        self._seal = seal
        self._books = books
        self._wall = wall
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

    def inherit(self, asides: Sequence[Aside], spent: Sequence[int]) -> None:
        """Soon: settle what a process that is gone may have settled itself."""
        self._tried |= {aside.hold for aside in asides}
        self._settling.add(asides, spent)

    async def close(self) -> None:
        await self._settling.close()

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
        args: list[int | str] = []
        for mark in marks:
            left = mark.window.end - self._wall() + GRACE_SECONDS
            ms = max(1, int(left * 1000))
            least, again = begins.get(mark.name, KNOWN), int(mark.name in self._known)
            args += (mark.amount, mark.limit, least, again, ms, mark.hold)
        said = await self._run(self._reserving, marks, args)
        if said[0] == b"missing":
            return None
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
        marks = [mark for asides, _ in settlements for mark in asides]
        spent = [amount for _, amounts in settlements for amount in amounts]
        args: list[int | str] = []
        for mark, amount in zip(marks, spent, strict=True):
            again = int(mark.hold in self._tried)
            args += (mark.amount, amount, mark.hold, again)
        holds, asked = {mark.hold for mark in marks if mark.hold}, self._link.up
        try:
            await self._run(self._giving, marks, args)
        except CountersDown:
            if asked:
                self._tried |= holds
            raise
        self._tried -= holds

    async def _run(
        self,
        script: Callable[..., Awaitable[list[bytes]]],
        marks: Sequence[Aside],
        args: list[int | str],
    ) -> list[bytes]:
        keys = [PREFIX + self._seal.name("limit", mark.name.encode()) for mark in marks]
        try:
            answer: list[bytes] = await self._link.run(script, keys=keys, args=args)
        except SharedStateDown as error:
            raise CountersDown(str(error)) from error
        return answer
