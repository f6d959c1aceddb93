"""All counters keep the same promise: never more than the limit, and nothing by halves.

The memory's are compared with a plain sum over any history; the database's and Redis's
do what the memory's do.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import date

import pytest
from django.db import connection
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.limits.counters import Count, Counters, CountersDown, Full, Mark
from gateway.limits.in_database import DatabaseCounters
from gateway.limits.in_memory import MemoryCounters, ShareCounters
from gateway.limits.in_redis import RedisCounters
from gateway.limits.windows import Window, window
from gateway.models import SpendDay, Team
from gateway.runtime.database import in_database
from gateway.shared.link import Link
from gateway.shared.seal import Seal
from tests.gateway.limits.samples import NOON, mark
from tests.redis_server import RedisServer

LIMITS = {"key:1": 100, "team:1": 150}


class Reservations(RuleBasedStateMachine):
    """Any order of setting aside, settling and crashing, against plain sums."""

    def __init__(self) -> None:
        super().__init__()
        self.counters = MemoryCounters(lambda name: 0)
        self.open: list[list[Mark]] = []
        self.spent = dict.fromkeys(LIMITS, 0)
        self.lost = dict.fromkeys(LIMITS, 0)

    def used(self, subject: str) -> int:
        held = [
            m.amount for marks in self.open for m in marks if subject_of(m) == subject
        ]
        return self.spent[subject] + self.lost[subject] + sum(held)

    @rule(
        amount=st.integers(0, 120),
        subjects=st.sets(st.sampled_from(sorted(LIMITS)), min_size=1),
    )
    def reserve(self, amount: int, subjects: set[str]) -> None:
        marks = [mark(amount, LIMITS[each], each) for each in sorted(subjects)]
        fits = all(self.used(each) + amount <= LIMITS[each] for each in subjects)
        try:
            counts = asyncio.run(self.counters.reserve(marks))
        except Full as full:
            assert not fits
            assert full.count.used == self.used(subject_of(full.mark))
            return
        assert fits
        self.open.append(marks)
        assert [count.used for count in counts] == [
            self.used(s) for s in sorted(subjects)
        ]

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        """A call never costs more than was set aside for it."""
        marks = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
        cost = data.draw(st.integers(0, marks[0].amount))
        self.counters.settle(marks, [cost] * len(marks))
        for each in marks:
            self.spent[subject_of(each)] += cost

    @precondition(lambda self: self.open)
    @rule()
    def lose(self) -> None:
        """Nobody ever settles it: it stays as it was set aside."""
        for each in self.open.pop():
            self.lost[subject_of(each)] += each.amount

    @invariant()
    def never_above_the_limit(self) -> None:
        looked_at = [mark(0, subject=each) for each in LIMITS]
        counts = asyncio.run(self.counters.reserve(looked_at))
        for subject, count in zip(LIMITS, counts, strict=True):
            assert count.used == self.used(subject) <= LIMITS[subject]
            assert count.spent == self.spent[subject]


def subject_of(of: Mark) -> str:
    return of.rule.subject


Reservations.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
TestReservations = Reservations.TestCase


# --- The same of all kinds ---------------------------------------------------------


async def no_books(marks: object) -> dict[str, int]:
    return {}


@pytest.fixture(
    params=[
        "memory",
        pytest.param("database", marks=pytest.mark.django_db(transaction=True)),
        pytest.param("redis", marks=pytest.mark.service),
    ]
)
def where(request: pytest.FixtureRequest) -> str:
    """Where is counted: nowhere else, the database, or the URL of a Redis."""
    if request.param == "redis":
        server: RedisServer = request.getfixturevalue("redis")
        return server.url
    return request.param


@pytest.fixture
async def counters(where: str) -> AsyncIterator[Counters]:
    if where == "memory":
        yield MemoryCounters(lambda name: 0)
    elif where == "database":
        made = DatabaseCounters(lambda: NOON)
        yield made
        await made.close()
    else:
        link = Link(where, 5.0)
        redis = RedisCounters(link, Seal("secret"), no_books, lambda: NOON)
        yield redis
        await redis.close()
        await link.close()


async def settled(counters: Counters) -> None:
    """Wait for settlements that are on their way."""
    settling = getattr(counters, "_settling", None)
    if settling:
        await settling.close()


async def test_exactly_twenty_of_fifty_at_once_find_room(counters: Counters):
    marks = [mark(5), mark(5, 1000, "team:1")]

    results = await asyncio.gather(
        *(counters.reserve(marks) for _ in range(50)), return_exceptions=True
    )

    refused = [result for result in results if isinstance(result, Full)]
    assert len(refused) == 30
    assert {full.mark.rule.subject for full in refused} == {"key:1"}
    assert refused[0].count == Count(0, 100)
    assert await counters.reserve([mark(0), mark(0, subject="team:1")]) == [
        Count(0, 100),
        Count(0, 100),
    ]


async def test_what_does_not_fit_leaves_nothing_in_the_others(counters: Counters):
    with pytest.raises(Full) as caught:
        await counters.reserve([mark(60, 100), mark(60, 50, "team:1")])

    assert caught.value.mark.rule.subject == "team:1"
    looked_at = await counters.reserve([mark(0), mark(0, subject="team:1")])
    assert looked_at == [Count(0, 0), Count(0, 0)]


async def test_settling_puts_the_cost_in_the_place_of_what_was_set_aside(
    counters: Counters,
):
    marks = [mark(60), mark(60, 200, "team:1")]
    await counters.reserve(marks)
    counters.settle(marks, [12, 12])
    await settled(counters)

    assert await counters.reserve([mark(88)]) == [Count(12, 88)]


async def test_a_look_asks_for_no_room(counters: Counters):
    await counters.reserve([mark(100)])

    (count,) = await counters.reserve([mark(0, 1 << 60)])

    assert count == Count(0, 100)


async def test_amounts_of_millions_of_dollars_are_exact(counters: Counters):
    limit = 9_000_000 * 10**9
    await counters.reserve([mark(limit - 1, limit)])

    with pytest.raises(Full):
        await counters.reserve([mark(2, limit)])
    assert await counters.reserve([mark(1, limit)]) == [Count(0, limit)]


# --- Windows and books ---------------------------------------------------------------


async def test_a_new_window_begins_empty_and_late_settlements_stay_in_theirs():
    counters = MemoryCounters(lambda name: 0)
    today = mark(60)
    tomorrow = Mark(today.rule, next_day(today), 70, 100)
    await counters.reserve([today])
    await counters.reserve([tomorrow])
    counters.settle([today], [60])

    assert await counters.reserve([Mark(today.rule, next_day(today))]) == [Count(0, 70)]


def next_day(of: Mark) -> Window:
    return window("day", of.rule.zone, of.window.end)


async def test_a_process_that_starts_goes_on_from_the_books():
    spent = {mark(0).name: 40}
    counters = MemoryCounters(lambda name: spent.get(name, 0))

    with pytest.raises(Full):
        await counters.reserve([mark(61)])
    assert await counters.reserve([mark(60)]) == [Count(40, 60)]


async def test_a_worker_on_its_own_has_its_share_of_what_was_left():
    counters = ShareCounters(lambda name: 40, workers=4)

    with pytest.raises(Full):
        await counters.reserve([mark(16)])
    assert await counters.reserve([mark(15)]) == [Count(40, 15)]


@pytest.mark.django_db(transaction=True)
async def test_the_database_begins_from_the_books_and_never_falls_below_them():
    def write(nano: int, **fields: object) -> None:
        SpendDay.objects.create(spent_nano=nano, key_id=1, **fields)

    def set_up() -> None:
        Team.objects.create(pk=1, name="t")
        write(30, day=date(2026, 11, 18), team="t")
        write(500, day=date(2026, 11, 17), team="t")

    await in_database(set_up)
    first, second = DatabaseCounters(lambda: NOON), DatabaseCounters(lambda: NOON)
    both = [mark(10), mark(10, subject="team:1")]

    assert await first.reserve(both) == [Count(30, 10), Count(30, 10)]

    def spend_elsewhere() -> None:
        SpendDay.objects.filter(spent_nano=30).update(spent_nano=55)

    await in_database(spend_elsewhere)
    assert await second.reserve(both) == [Count(55, 20), Count(55, 20)]
    await first.close()
    await second.close()


@pytest.mark.django_db(transaction=True)
async def test_a_database_that_fails_is_told_and_left_alone_for_a_moment():
    counters = DatabaseCounters(lambda: NOON)

    def break_table() -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE gateway_limitcounter RENAME TO gone")

    def mend_table() -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE gone RENAME TO gateway_limitcounter")

    await in_database(break_table)
    try:
        with pytest.raises(CountersDown):
            await counters.reserve([mark(5)])
        assert not counters.usable
    finally:
        await in_database(mend_table)
    assert await counters.reserve([mark(5)]) == [Count(0, 5)]
    await counters.close()


async def test_who_leaves_while_it_is_set_aside_leaves_nothing(counters: Counters):
    if isinstance(counters, MemoryCounters):
        pytest.skip("Memory never waits.")
    task = asyncio.create_task(counters.reserve([mark(60)]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await settled(counters)

    assert await counters.reserve([mark(100)]) == [Count(0, 100)]


# --- Redis -------------------------------------------------------------------------


@pytest.mark.service
async def test_redis_that_forgot_its_counters_begins_from_the_books(redis: RedisServer):
    told: list[str] = []

    async def books(marks: list[Mark]) -> dict[str, int]:
        told.extend(each.name for each in marks)
        return {mark(0).name: 30}

    link = Link(redis.url, 5.0)
    counters = RedisCounters(link, Seal("secret"), books, lambda: NOON)
    assert await counters.reserve([mark(10)]) == [Count(30, 10)]
    assert await counters.reserve([mark(10)]) == [Count(30, 20)]
    await link.redis.flushall()
    assert await counters.reserve([mark(10)]) == [Count(30, 10)]
    (name,) = await link.redis.keys("*")
    await link.redis.delete(name)
    await link.redis.set(name, "not a counter")
    assert await counters.reserve([mark(10)]) == [Count(30, 10)]

    assert told == [mark(0).name] * 3
    counters.settle([mark(10)] * 3, [7] * 3)
    await settled(counters)
    assert await counters.reserve([mark(0)]) == [Count(51, 0)]
    await link.close()


@pytest.mark.service
async def test_settlements_that_redis_missed_are_made_when_it_is_back(
    redis: RedisServer,
):
    link = Link(redis.url, 0.2)
    counters = RedisCounters(link, Seal("secret"), no_books, lambda: NOON)
    await counters.reserve([mark(60)])
    redis.freeze()
    counters.settle([mark(60)], [12])
    await settled(counters)
    assert not counters.usable
    redis.thaw()
    async with asyncio.timeout(20):
        while not counters.usable:
            await asyncio.sleep(0.02)
    await counters.reserve([mark(1)])
    counters.settle([mark(1)], [1])
    await settled(counters)

    assert await counters.reserve([mark(0)]) == [Count(13, 0)]
    await link.close()
