"""What Redis forgets or misses of the counters in it is put right."""

import asyncio

import pytest

from gateway.limits.counters import Count, CountersDown, Mark
from gateway.limits.in_redis import RedisCounters
from gateway.shared.link import Link
from gateway.shared.seal import Seal
from tests.gateway.limits.samples import NOON, mark, no_books, settled
from tests.redis_server import RedisServer


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


@pytest.mark.service
async def test_what_was_given_up_before_redis_heard_of_it_is_not_set_aside(
    redis: RedisServer,
):
    link = Link(redis.url, 5.0)
    counters = RedisCounters(link, Seal("secret"), no_books, lambda: NOON)
    await counters.reserve([mark(10, hold="a")])
    counters.settle([mark(60, hold="late")], [0])
    await settled(counters)
    with pytest.raises(CountersDown):
        await counters.reserve([mark(60, hold="late")])

    assert await counters.reserve([mark(0)]) == [Count(0, 10)]
    await link.close()
