"""Counting in one process: exact and at once, for a worker that is alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.limits.counters import Count, Full, Mark


@dataclass(slots=True)
class Counter:
    start: float
    spent: int
    reserved: int = 0
    limit: int | None = None  # of this process alone, when it is not the rule's


class MemoryCounters:
    """`begins` gives what a counter stands at before it is first used here."""

    usable = True

    def __init__(self, begins: Callable[[str], int]) -> None:
        self._begins = begins
        self._counters: dict[tuple[str, str, str], Counter] = {}

    async def reserve(self, marks: Sequence[Mark]) -> list[Count]:
        found = [(mark, self._counter(mark)) for mark in marks]
        for mark, counter in found:
            used = counter.spent + counter.reserved
            if used + mark.amount > self._limit(mark, counter):
                raise Full(mark, Count(counter.spent, counter.reserved))
        for mark, counter in found:
            counter.reserved += mark.amount
        return [Count(counter.spent, counter.reserved) for _, counter in found]

    def settle(self, marks: Sequence[Mark], spent: Sequence[int]) -> None:
        for mark, amount in zip(marks, spent, strict=True):
            counter = self._counters.get(key(mark))
            if counter and counter.start == mark.window.start:
                counter.reserved -= mark.amount
                counter.spent += amount

    async def caught_up(self) -> None:
        pass

    async def close(self) -> None:
        pass

    def _counter(self, mark: Mark) -> Counter:
        counter = self._counters.get(key(mark))
        # A clock that was set back goes on in the later window.
        if counter is None or counter.start < mark.window.start:
            counter = Counter(mark.window.start, self._begins(mark.name))
            self._counters[key(mark)] = counter
        return counter

    def forget(self) -> None:
        """Begin anew from what is known by then."""
        self._counters.clear()

    def _limit(self, mark: Mark, counter: Counter) -> int:
        return mark.limit


class ShareCounters(MemoryCounters):
    """A worker's share, while nobody counts for all of them: what was left when it was
    last heard of, divided by the workers."""

    def __init__(self, begins: Callable[[str], int], workers: int) -> None:
        super().__init__(begins)
        self._workers = workers

    def _limit(self, mark: Mark, counter: Counter) -> int:
        if mark.amount == 0:  # only looked at
            return mark.limit
        if counter.limit is None:
            left = max(0, mark.limit - counter.spent)
            counter.limit = counter.spent + left // self._workers
        return counter.limit


def key(mark: Mark) -> tuple[str, str, str]:
    return mark.rule.subject, mark.rule.kind, mark.rule.period
