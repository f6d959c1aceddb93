"""Counting for several workers that have no Redis: one atomic UPDATE, in a thread.

The one exception to "no query on the request path", for keys with limits only.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Sequence, Set
from datetime import UTC, datetime

from django.db.models import F

from gateway.limits.books import spent_so_far
from gateway.limits.counters import Count, CountersDown, Full, Mark, Settlement
from gateway.limits.counting_thread import CountingThread
from gateway.limits.settling import Settling
from gateway.models import LimitCounter, LimitHold

BOOKS_SECONDS = 1.0
MOST_NAMES = 10_000


class DatabaseCounters:
    """Rows of LimitCounter, and one of LimitHold for each call under way."""

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        thread: CountingThread | None = None,
        owner: str = "",
        books_seconds: float = BOOKS_SECONDS,
    ) -> None:
        self._wall = wall
        self._owner = owner
        self._books_seconds = books_seconds
        self._thread = thread or CountingThread(look)
        self._settling = Settling(self._settle)
        # When each counter was last not below the books: others may count elsewhere.
        self._known: dict[str, float] = {}

    @property
    def usable(self) -> bool:
        return self._thread.up

    async def reserve(self, marks: Sequence[Mark]) -> list[Count]:
        return await self._settling.unless_cancelled(self._reserve(marks), marks)

    def settle(self, marks: Sequence[Mark], spent: Sequence[int]) -> None:
        self._settling.add(marks, spent)

    async def caught_up(self) -> None:
        if self.usable:
            await self._settling.caught_up()

    async def close(self) -> None:
        await self._settling.close()
        await self._thread.close()

    async def spent(self, marks: Sequence[Mark]) -> dict[str, int]:
        """What the books say of these budgets. Raises CountersDown."""
        if not self.usable:
            raise CountersDown("The database is not asked at the moment.")
        now = datetime.fromtimestamp(self._wall(), UTC)
        rules = [mark.rule for mark in marks]
        asked = self._thread.submit(spent_so_far, rules, now)
        found: dict[str, int] = await self._thread.end_of(asked)
        return found

    async def _reserve(self, marks: Sequence[Mark]) -> list[Count]:
        since = time.monotonic() - self._books_seconds
        unknown = [mark for mark in marks if self._known.get(mark.name, since) <= since]
        new = {mark.name for mark in unknown} - self._known.keys()
        asked = self._thread.submit(
            charge, marks, unknown, new, self._wall(), self._owner
        )
        try:
            counts: list[Count] = await self._thread.end_of(asked)
        except CountersDown:
            self._known.clear()
            if not asked.cancel():  # it may be set aside yet
                self._settling.give_back(asyncio.wrap_future(asked), marks)
            raise
        if len(self._known) > MOST_NAMES:
            self._known.clear()
        self._known.update((mark.name, time.monotonic()) for mark in unknown)
        return counts

    async def _settle(self, settlements: Sequence[Settlement]) -> None:
        # However long it takes: what was given up and made nevertheless would be
        # made twice.
        asked = self._thread.submit(settle, settlements)
        await self._thread.end_of(asked, for_ever=True)


def look() -> None:
    """Can anything be counted? SQLite is locked for it, rows are none."""
    LimitCounter.objects.filter(name="").update(reserved=0)


def charge(
    marks: Sequence[Mark],
    unknown: Sequence[Mark],
    new: Set[str],
    now: float,
    owner: str,
) -> list[Count]:
    """Set the marks aside, or raise Full, which undoes it. In one order for everybody,
    so that two never wait for each other."""
    if unknown:
        begin(unknown, new, now)
    for mark in sorted(marks, key=lambda mark: mark.name):
        if mark.amount and not take(mark):
            raise Full(mark, counts_of([mark])[0])
    if hold := marks[0].hold:
        ends_at = max(mark.window.end for mark in marks)
        LimitHold.objects.create(
            hold=hold,
            owner=owner,
            asides=[(mark.name, mark.amount) for mark in marks],
            ends_at=datetime.fromtimestamp(ends_at, UTC),
        )
    return counts_of(marks)


def take(mark: Mark) -> int:
    most = mark.limit - mark.amount
    rows = LimitCounter.objects.filter(name=mark.name, spent__lte=most - F("reserved"))
    return rows.update(reserved=F("reserved") + mark.amount)


def begin(marks: Sequence[Mark], new: Set[str], now: float) -> None:
    """Make the counters that aren't there, and raise those below the books to them.

    The books may be ahead of a settlement that waits for its turn, and what it counts
    must not count twice: except for the `new`, which others may have counted, what is
    set aside is taken for spent.
    """
    spent = spent_so_far(
        [mark.rule for mark in marks], datetime.fromtimestamp(now, UTC)
    )
    rows = [
        LimitCounter(
            name=mark.name,
            spent=spent.get(mark.name, 0),
            ends_at=datetime.fromtimestamp(mark.window.end, UTC),
        )
        for mark in sorted(marks, key=lambda mark: mark.name)
    ]
    LimitCounter.objects.bulk_create(rows, ignore_conflicts=True)
    for row in rows:
        least = row.spent - (0 if row.name in new else F("reserved"))
        known = LimitCounter.objects.filter(name=row.name, spent__lt=least)
        known.update(spent=least)


def counts_of(marks: Sequence[Mark]) -> list[Count]:
    names = [mark.name for mark in marks]
    rows = LimitCounter.objects.filter(name__in=names)
    found = {
        name: Count(spent, reserved)
        for name, spent, reserved in rows.values_list("name", "spent", "reserved")
    }
    return [found.get(name, Count(0, 0)) for name in names]


def settle(settlements: Sequence[Settlement], *, void: bool = True) -> None:
    """What has no id is settled each time it is asked for. `void`: what isn't set aside
    can't be any more."""
    holds = {asides[0].hold for asides, _ in settlements} - {""}
    given = take_out(holds)
    if void and (missing := holds - given):
        given |= void_or_take_out(missing)
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for asides, spent in settlements:
        if asides[0].hold and asides[0].hold not in given:
            continue
        for aside, amount in zip(asides, spent, strict=True):
            sums[aside.name][0] += amount
            sums[aside.name][1] += aside.amount
    for name, (came_to, reserved) in sorted(sums.items()):
        LimitCounter.objects.filter(name=name).update(
            spent=F("spent") + came_to, reserved=F("reserved") - reserved
        )


def void_or_take_out(holds: Set[str]) -> set[str]:
    """A connection may have broken at the COMMIT that sets one aside, and PostgreSQL is
    at it still: the row of its name waits for that, and what comes later stumbles over
    it."""
    now = datetime.now(UTC)
    rows = [LimitHold(hold=each, void=True, ends_at=now) for each in holds]
    LimitHold.objects.bulk_create(rows, ignore_conflicts=True)
    return take_out(holds)


def take_out(holds: Set[str]) -> set[str]:
    """Those that are set aside and not settled yet. From now on they aren't."""
    # Locked, so that another's settlement of the same is waited for.
    mine = LimitHold.objects.filter(hold__in=holds, void=False).order_by("hold")
    found = set(mine.select_for_update().values_list("hold", flat=True))
    LimitHold.objects.filter(hold__in=found).delete()
    return found
