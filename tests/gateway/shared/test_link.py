"""Redis down, frozen, slow, restarted or full of garbage: R3 and D14."""

import asyncio
from contextlib import suppress
from time import monotonic

import pytest

from gateway.shared.link import Link
from gateway.shared.redis_state import PREFIX, RedisState
from gateway.shared.state import SharedStateDown

pytestmark = pytest.mark.service
TIMEOUT = 2.0  # so long that a busy machine is not taken for a slow Redis


@pytest.fixture
async def state(redis):
    made = RedisState(redis.url, TIMEOUT)
    await made.put(["warm"], b"up", 60.0)
    yield made
    await made.close()


async def failing(state) -> float:
    """Seconds that one look-up costs while Redis is out."""
    started = monotonic()
    with pytest.raises(SharedStateDown):
        await state.find(["warm"], 100)
    return monotonic() - started


async def usable(state):
    async with asyncio.timeout(20):
        while not state.link.up:
            await asyncio.sleep(0.01)


async def test_a_frozen_redis_costs_one_time_out_and_then_nothing(redis, state):
    redis.freeze()
    together = await asyncio.gather(*(failing(state) for _ in range(20)))
    afterwards = [await failing(state) for _ in range(100)]
    redis.thaw()

    # One time-out for all who were under way; twice as long on a busy machine.
    assert max(together) < 2 * TIMEOUT
    assert sum(afterwards) < TIMEOUT
    assert state.link.failures == 1
    await usable(state)
    assert (await state.find(["warm"], 100)).value == b"up"


async def test_a_redis_that_is_down_is_noticed_and_found_again(redis, state):
    redis.stop()
    await failing(state)
    assert not state.link.up
    redis.start()
    await usable(state)
    assert await state.find(["warm"], 100) is None
    await state.put(["warm"], b"again", 60.0)
    assert (await state.find(["warm"], 100)).value == b"again"


async def test_a_restart_between_two_commands_costs_no_error_for_long(redis, state):
    redis.restart()  # its scripts are gone too, and all connections
    with pytest.raises(SharedStateDown):
        await state.claim("call", "ann", 5.0)
    async with asyncio.timeout(20):
        while True:  # on a busy machine a command may once more take too long
            await usable(state)
            with suppress(SharedStateDown):
                assert (await state.claim("call", "ann", 5.0)).leader == "ann"
                return


async def test_foreign_values_under_our_names_are_not_found(redis, state):
    client = state.link.redis
    await client.rpush(PREFIX + "list", "x")
    await client.set(PREFIX + "nowhere", "@" + PREFIX + "gone")
    await client.set(PREFIX + "circle", "@" + PREFIX + "list")
    await client.set(PREFIX + "huge", bytes(1 << 20))
    assert await state.find(["list", "nowhere", "circle", "huge"], 1000) is None
    assert (await state.find(["list", "warm"], 1000)).name == "warm"
    assert state.link.up


async def test_a_refusal_costs_no_wait_and_does_not_stop_the_rest(redis, state):
    await state.link.redis.set(PREFIX + "s", "a string where a stream belongs")
    with pytest.raises(SharedStateDown):
        await state.read("s", 0)
    assert state.link.up
    assert (await state.find(["warm"], 100)).value == b"up"


async def test_a_full_redis_still_answers_what_it_holds(redis, state):
    await state.link.redis.config_set("maxmemory", 1)
    with pytest.raises(SharedStateDown):
        await state.put(["more"], b"x", 60.0)
    assert (await state.find(["warm"], 100)).value == b"up"


async def test_a_slow_redis_is_left_alone_until_it_is_quick_again(redis, state):
    enough = asyncio.Event()
    slow = asyncio.create_task(hold_up(redis.url, enough))
    async with asyncio.timeout(60):
        while state.link.up:
            with suppress(SharedStateDown):
                await state.find(["warm"], 100)
    enough.set()
    await slow
    await usable(state)


async def hold_up(url, enough):
    """Keep Redis from answering for less than the time-out, again and again."""
    link = Link(url, 5.0)
    while not enough.is_set():
        await link.redis.execute_command("DEBUG", "SLEEP", 0.8 * TIMEOUT)
    await link.close()
