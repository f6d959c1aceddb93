"""All counters keep the same promise: never more than the limit, and nothing by halves.

The memory's are compared with a plain sum over any history in test_in_memory.py; here
the database's and Redis's do what the memory's do.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from functools import partial

import pytest
from django.db import connection, transaction

from gateway.limits.counters import Count, Counters, CountersDown, Full, Inherited
from gateway.limits.in_database import DatabaseCounters, settle
from gateway.limits.in_memory import MemoryCounters
from gateway.limits.in_redis import RedisCounters
from gateway.models import SpendDay, Team
from gateway.runtime.database import in_database
from gateway.shared.link import Link
from gateway.shared.seal import Seal
from tests.gateway.limits.samples import NOON, mark, no_books, settled
from tests.redis_server import RedisServer

Book = Callable[[int], Awaitable[None]]

# --- The same of all kinds ---------------------------------------------------------


DATABASE = pytest.param("database", marks=pytest.mark.django_db(transaction=True))
REDIS = pytest.param("redis", marks=pytest.mark.service)


@pytest.fixture(params=["memory", DATABASE, REDIS])
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


# --- What others left ----------------------------------------------------------------

COMMON = pytest.mark.parametrize("where", [DATABASE, REDIS], indirect=True)


def settle_now(asides: list[Inherited], spent: list[int]) -> None:
    with transaction.atomic():
        settle([(asides, spent)])


async def inherit(
    counters: Counters, asides: list[Inherited], spent: list[int]
) -> None:
    if isinstance(counters, RedisCounters):
        await counters.inherit([(asides, spent)])
    else:
        await in_database(partial(settle_now, asides, spent))


@COMMON
async def test_what_a_process_that_is_gone_had_set_aside_is_settled_once(
    counters: Counters,
):
    asides = [mark(60, hold="a"), mark(60, 200, "team:1", "a")]
    await counters.reserve(asides)
    left = [Inherited(aside.name, aside.amount, "a") for aside in asides]

    for _ in range(2):
        await inherit(counters, left, [12, 12])

    both = [mark(0), mark(0, subject="team:1")]
    assert await counters.reserve(both) == [Count(12, 0), Count(12, 0)]


@COMMON
async def test_what_it_had_settled_itself_is_left_alone(counters: Counters):
    await counters.reserve([mark(60, hold="a")])
    await counters.reserve([mark(30, hold="b")])
    counters.settle([mark(60, hold="a")], [12])
    await settled(counters)
    await inherit(counters, [Inherited(mark(60).name, 60, "a")], [12])

    assert await counters.reserve([mark(0)]) == [Count(12, 30)]


# --- Windows and books ---------------------------------------------------------------


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


async def books_ahead_of(counters: Counters, book: Book) -> None:
    """A settlement waits for its turn, and the books have what it is about to count."""
    await counters.reserve([mark(60, hold="a")])
    await counters.reserve([mark(20, hold="b")])
    await book(55)
    assert await counters.reserve([mark(0)]) == [Count(0, 80)]

    counters.settle([mark(60, hold="a")], [55])
    await settled(counters)
    assert await counters.reserve([mark(0)]) == [Count(55, 20)]

    await book(90)  # 35 of it by others
    assert await counters.reserve([mark(0)]) == [Count(70, 20)]
    counters.settle([mark(20, hold="b")], [0])
    await settled(counters)
    assert await counters.reserve([mark(0)]) == [Count(90, 0)]


@pytest.mark.django_db(transaction=True)
async def test_what_the_books_have_before_the_database_does_counts_once():
    day = {"day": date(2026, 11, 18), "key_id": 1, "team": ""}

    async def book(nano: int) -> None:
        save = SpendDay.objects.update_or_create
        await in_database(partial(save, defaults={"spent_nano": nano}, **day))

    counters = DatabaseCounters(lambda: NOON, books_seconds=0)
    await books_ahead_of(counters, book)
    await counters.close()


@pytest.mark.service
async def test_what_the_books_have_before_redis_does_counts_once(redis: RedisServer):
    booked = {}

    async def book(nano: int) -> None:
        booked[mark(0).name] = nano

    async def books(marks: object) -> dict[str, int]:
        return booked

    link = Link(redis.url, 5.0)
    counters = RedisCounters(link, Seal("secret"), books, lambda: NOON, books_seconds=0)
    await books_ahead_of(counters, book)
    await counters.close()
    await link.close()


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


@pytest.mark.parametrize("where", [DATABASE, REDIS], indirect=True)  # memory is at once
async def test_who_leaves_while_it_is_set_aside_leaves_nothing(counters: Counters):
    task = asyncio.create_task(counters.reserve([mark(60)]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await settled(counters)

    assert await counters.reserve([mark(100)]) == [Count(0, 100)]
