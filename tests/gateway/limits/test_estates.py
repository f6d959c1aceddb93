"""What a Redis that was away at the replay did not hear is settled when it is back."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from gateway.limits.counters import Count
from gateway.limits.estates import Estates, Executor
from gateway.limits.hold import Hold
from gateway.limits.in_redis import RedisCounters
from gateway.limits.inheritance import HeirOfHolds, counters_of
from gateway.runtime.database import in_database
from gateway.shared.link import Link
from gateway.shared.seal import Seal
from routing.chat import Json
from tests.gateway.ledger.samples import attempt
from tests.gateway.limits.samples import NOON, mark, no_books, settled
from tests.redis_server import RedisServer

pytestmark = [pytest.mark.service, pytest.mark.django_db(transaction=True)]
SEAL = Seal("secret")


@pytest.fixture
async def link(redis: RedisServer) -> AsyncIterator[Link]:
    link = Link(redis.url, 5.0)
    yield link
    await link.close()


@pytest.fixture
def estates(tmp_path: Path) -> Estates:
    return Estates(tmp_path)


def counters(link: Link, owner: str, **more: object) -> RedisCounters:
    return RedisCounters(link, SEAL, no_books, lambda: NOON, owner=owner, **more)


async def replay(redis: RedisServer, estates: Estates, *attempts: Json) -> None:
    heir = HeirOfHolds(redis.url, "secret", estates)
    await in_database(partial(heir.settle, "1-dead", attempts))
    await in_database(partial(heir.give_back, "1-dead"))


async def execute(estates: Estates, link: Link) -> None:
    """As a process that serves does, until nothing is left."""
    executor = Executor(
        estates, lambda owner: counters_of(owner, link, SEAL).give_back()
    )
    async with asyncio.timeout(30):
        while estates.names():
            await asyncio.sleep(0.02)
    await executor.close()


async def leave(link: Link) -> Json:
    """What a process leaves that was killed with two calls, one of which had left."""
    dead = counters(link, "1-dead")
    asked = [mark(30, hold="asked"), mark(30, 200, "team:1", "asked")]
    await dead.reserve(asked)
    await dead.reserve([mark(20, hold="about to ask")])
    written = Hold(dead, asked, 30).written
    return {**attempt("a", cost_nano=12), "aside": written}


async def standing(link: Link) -> list[Count]:
    both = [mark(0), mark(0, subject="team:1")]
    return await counters(link, "3-looks").reserve(both)


async def test_it_is_given_back_and_the_books_say_what_it_came_to(
    redis: RedisServer, link: Link, estates: Estates
):
    ended = await leave(link)
    await counters(link, "2-alive").reserve([mark(10, hold="of another")])
    with redis.hidden():
        await replay(redis, estates, ended)

    assert estates.names() == ["1-dead"]
    assert await standing(link) == [Count(0, 60), Count(0, 30)]
    await execute(estates, link)
    assert await standing(link) == [Count(0, 10), Count(0, 0)]


async def test_so_it_is_by_the_next_process_when_the_heir_is_killed_as_well(
    redis: RedisServer, link: Link, estates: Estates
):
    ended = await leave(link)
    with redis.hidden():
        await replay(redis, estates, ended)
    # Killed before its journal was deleted: by now the books may have the cost.
    await replay(redis, estates, ended)

    await execute(estates, link)
    assert await standing(link) == [Count(0, 0), Count(0, 0)]


async def test_so_is_what_a_process_owed_that_ended_while_redis_was_away(
    redis: RedisServer, link: Link, estates: Estates
):
    theirs = Link(redis.url, 5.0)
    ending = counters(theirs, "1-dead", leave=estates.add)
    await ending.reserve([mark(30, hold="asked")])
    await theirs.redis.connection_pool.disconnect()
    with redis.hidden():
        ending.settle([mark(30, hold="asked")], [12])
        await ending.close()
    await theirs.close()

    await execute(estates, link)
    assert await standing(link) == [Count(0, 0), Count(0, 0)]


async def test_a_process_that_owes_nothing_leaves_nothing(link: Link, estates: Estates):
    ending = counters(link, "1-dead", leave=estates.add)
    await ending.reserve([mark(30, hold="asked")])
    ending.settle([mark(30, hold="asked")], [12])
    await ending.close()

    assert estates.names() == []
    assert await standing(link) == [Count(12, 0), Count(0, 0)]


async def test_an_owner_in_redis_that_nobody_sealed_is_left_alone(
    redis: RedisServer, link: Link, estates: Estates
):
    await leave(link)
    (owner,) = await link.redis.keys("llm-router:limit-owner:*")
    await link.redis.hset(owner, "about to ask", b'{"hold":"asked","asides":[]}')
    await link.redis.hset(owner, "planted", b"no JSON")

    await replay(redis, estates)

    assert await standing(link) == [Count(0, 20), Count(0, 0)]


async def test_holds_of_an_earlier_version_have_no_owner_and_are_settled_by_their_lines(
    redis: RedisServer, link: Link, estates: Estates
):
    ended = await leave(link)
    await link.redis.delete(*await link.redis.keys("llm-router:limit-owner:*"))

    await replay(redis, estates, ended)

    assert await standing(link) == [Count(12, 20), Count(12, 0)]


async def test_what_is_settled_leaves_no_owner_behind(link: Link):
    dead = counters(link, "1-dead")
    await dead.reserve([mark(30, hold="a"), mark(30, subject="team:1", hold="a")])
    (owner,) = await link.redis.keys("llm-router:limit-owner:*")
    assert await link.redis.ttl(owner) > 3600
    dead.settle([mark(30, hold="a"), mark(30, subject="team:1", hold="a")], [7, 7])
    await settled(dead)

    assert await link.redis.keys("llm-router:limit-owner:*") == []
