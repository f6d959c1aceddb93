"""Counting for all workers in Redis: one script each for setting aside and settling."""

import time
from collections.abc import Awaitable, Callable, Sequence

from gateway.limits.counters import Count, CountersDown, Full, Mark
from gateway.limits.settling import Settling
from gateway.shared.link import Link
from gateway.shared.seal import Seal
from gateway.shared.state import SharedStateDown

PREFIX = "llm-router:"
GRACE_SECONDS = 3600.0  # a call may settle so long after its window
BOOKS_SECONDS = 5.0
MOST_NAMES = 10_000
KNOWN = -1  # instead of the books' word: the counter must be there

# Four arguments per key: amount, limit, what the books say (or -1), lifetime in ms.
# What isn't two numbers is nobody's counter.
RESERVE = """
local counts = {}
for i, key in ipairs(KEYS) do
  local begins, ms = tonumber(ARGV[4 * i - 1]), ARGV[4 * i]
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
  if spent < begins then spent = begins end
  redis.call('HSET', key, 's', string.format('%.0f', spent),
    'r', string.format('%.0f', reserved))
  redis.call('PEXPIRE', key, ms)
  counts[i] = {spent, reserved}
end
for i = 1, #KEYS do
  local amount, limit = tonumber(ARGV[4 * i - 3]), tonumber(ARGV[4 * i - 2])
  local spent, reserved = counts[i][1], counts[i][2]
  if spent + reserved + amount > limit then
    return {'full', i, string.format('%.0f', spent), string.format('%.0f', reserved)}
  end
end
local answer = {'fits'}
for i, key in ipairs(KEYS) do
  local amount = tonumber(ARGV[4 * i - 3])
  answer[2 * i] = string.format('%.0f', counts[i][1])
  answer[2 * i + 1] = string.format('%.0f', counts[i][2] + amount)
  redis.call('HSET', key, 'r', answer[2 * i + 1])
end
return answer
"""
# Two per key: what was set aside, what it came to. A counter that is gone, or was begun
# anew meanwhile, has nothing set aside to give back.
SETTLE = """
for i, key in ipairs(KEYS) do
  local amount, cost = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local found = redis.pcall('HMGET', key, 's', 'r')
  local spent = not found.err and tonumber(found[1] or '')
  local reserved = not found.err and tonumber(found[2] or '')
  if spent and reserved then
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
        self, link: Link, seal: Seal, books: Books, wall: Callable[[], float]
    ) -> None:
        self._link = link
        self._seal = seal
        self._books = books
        self._wall = wall
        self._reserving = link.redis.register_script(RESERVE)
        self._giving = link.redis.register_script(SETTLE)
        self._settling = Settling(self._settle)
        # When each counter was last not below the books: others may count elsewhere.
        self._known: dict[str, float] = {}
        self._failures = link.failures

    @property
    def usable(self) -> bool:
        return self._link.up

    async def reserve(self, marks: Sequence[Mark]) -> list[Count]:
        return await self._settling.unless_cancelled(self._reserve(marks), marks)

    def settle(self, marks: Sequence[Mark], spent: Sequence[int]) -> None:
        self._settling.add(marks, spent)

    async def close(self) -> None:
        await self._settling.close()

    async def _reserve(self, marks: Sequence[Mark]) -> list[Count]:
        counts = await self._try(marks)
        if counts is None:  # Redis came back without them
            self._known.clear()
            counts = await self._try(marks)
        if counts is None:
            raise CountersDown("Redis forgets its counters.")
        return counts

    async def _try(self, marks: Sequence[Mark]) -> list[Count] | None:
        begins = await self._begins(marks)
        args: list[int] = []
        for mark in marks:
            left = mark.window.end - self._wall() + GRACE_SECONDS
            ms = max(1, int(left * 1000))
            args += (mark.amount, mark.limit, begins.get(mark.name, KNOWN), ms)
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
        since = time.monotonic() - BOOKS_SECONDS
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

    async def _settle(self, marks: Sequence[Mark], spent: Sequence[int]) -> None:
        args: list[int] = []
        for mark, amount in zip(marks, spent, strict=True):
            args += (mark.amount, amount)
        await self._run(self._giving, marks, args)

    async def _run(
        self,
        script: Callable[..., Awaitable[list[bytes]]],
        marks: Sequence[Mark],
        args: list[int],
    ) -> list[bytes]:
        keys = [PREFIX + self._seal.name("limit", mark.name.encode()) for mark in marks]
        try:
            answer: list[bytes] = await self._link.run(script, keys=keys, args=args)
        except SharedStateDown as error:
            raise CountersDown(str(error)) from error
        return answer
