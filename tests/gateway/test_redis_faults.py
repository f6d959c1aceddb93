"""A real Redis is stopped, frozen, restarted or flushed while two workers use it: no
hang, no wrong answer, and all is well again by itself."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from redis import Redis

from gateway.shared.redis_state import PREFIX, RedisState
from tests.faultllm import FaultLLM
from tests.harness import Clock, Gateway, ask, one_backend
from tests.memory_state import MemoryState
from tests.redis_server import RedisServer
from tests.workers import State, until, workers

QUESTION = "What is the capital of France?"
OTHER_WORDING = "What's France's capital city?"
Fault = Callable[[RedisServer], None]


def flush(redis: RedisServer) -> None:
    """Everything is gone: answers, leases, streams and scripts."""
    with Redis.from_url(redis.url) as client:
        client.flushall()
        client.script_flush()


def holds_something(redis: RedisServer) -> bool:
    """Is an answer stored? Its other wordings point to it with an "@"."""
    with Redis.from_url(redis.url) as client:
        keys = [
            k for k in client.scan_iter(f"{PREFIX}*") if client.type(k) == b"string"
        ]
        return any((client.get(key) or b"").startswith(b"@") for key in keys)


FAULTS: dict[str, Fault] = {
    "stopped": RedisServer.stop,
    "frozen": RedisServer.freeze,
    "restarted": RedisServer.restart,
    "flushed": flush,
}
HEALS: dict[str, Fault] = {"stopped": RedisServer.start, "frozen": RedisServer.thaw}


@pytest.fixture
def to_redis(redis: RedisServer) -> State:
    return lambda: RedisState(redis.url, timeout=0.25)


async def usable(*gateways: Gateway) -> None:
    await until(lambda: all(each.runtime.shared.state.usable for each in gateways))


async def shared_again(one: Gateway, two: Gateway) -> None:
    """What one buys from now on is a hit in the other, by either wording."""

    async def is_a_hit() -> bool:
        text = f"Is {next(numbers)} a prime number?"
        bought = await ask(one, text)
        found = await ask(two, text)
        assert found.status == bought.status == 200
        return found.headers["x-llm-router-cache"] == "HIT"

    numbers = iter(range(1000, 2000))
    async with asyncio.timeout(20):
        await usable(one, two)
        while not await is_a_hit():
            await asyncio.sleep(0.05)


@pytest.mark.service
@pytest.mark.parametrize("fault", FAULTS)
async def test_stored_answers_may_be_lost_but_no_request_is(
    upstream: FaultLLM, tmp_path: Path, redis: RedisServer, to_redis: State, fault: str
):
    async with workers(one_backend(upstream.url), tmp_path, to_redis) as (one, two):
        await ask(one, QUESTION)
        await until(lambda: holds_something(redis))  # else it may arrive after that
        await asyncio.to_thread(FAULTS[fault], redis)
        here = await ask(one, QUESTION)
        crowd = await asyncio.gather(*(ask(two, OTHER_WORDING) for _ in range(20)))
        await asyncio.to_thread(HEALS.get(fault, lambda _: None), redis)
        await shared_again(one, two)

    assert here.headers["x-llm-router-cache"] == "HIT"  # from its own memory
    assert {reply.status for reply in crowd} == {200}
    # One bought it, on its own; the others shared its call or found it stored.
    asked = [attempt.body["messages"][0]["content"] for attempt in upstream.attempts]
    assert asked.count(OTHER_WORDING) == 1


@pytest.mark.service
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_shared_call_under_way_ends_for_everybody(
    upstream: FaultLLM,
    tmp_path: Path,
    redis: RedisServer,
    to_redis: State,
    fault: str,
    stream: bool,
):
    upstream.script = ["hold+words-5"]
    async with workers(one_backend(upstream.url), tmp_path, to_redis) as (one, two):
        first = asyncio.create_task(ask(one, QUESTION, stream=stream))
        await upstream.until(lambda: upstream.holding == 1)
        others = [
            asyncio.create_task(ask(two, QUESTION, stream=stream)) for _ in range(5)
        ]
        await until(lambda: watched(redis))
        await asyncio.to_thread(FAULTS[fault], redis)
        upstream.release()
        async with asyncio.timeout(20):
            leader, *rest = await asyncio.gather(first, *others)
        await asyncio.to_thread(HEALS.get(fault, lambda _: None), redis)
        await shared_again(one, two)

    assert leader.status == 200 and leader.content
    # They saw nothing of it yet, so a call of their own took its place: one for all.
    assert {reply.status for reply in rest} == {200}
    assert len({reply.content for reply in rest}) == 1
    asked = [attempt.body["messages"][0]["content"] for attempt in upstream.attempts]
    assert asked.count(QUESTION) <= 2


class FrozenState(MemoryState):
    """Answers nobody: who looks for an answer waits until the test ends the wait."""

    def __init__(self, waiting: int) -> None:
        super().__init__()
        self.down = True
        self.waits: list[asyncio.Event] = []
        self._waiting = waiting  # from then on the breaker is open

    async def find(self, names: Sequence[str], max_bytes: int) -> None:
        if len(self.waits) < self._waiting:
            self.waits.append(asyncio.Event())
            await self.waits[-1].wait()
        self._check()


@pytest.mark.parametrize("wording", [QUESTION, OTHER_WORDING])
async def test_who_waited_in_vain_finds_what_was_bought_meanwhile(
    upstream: FaultLLM, tmp_path: Path, wording: str
):
    state = FrozenState(waiting=2)
    catalog = one_backend(upstream.url)
    async with workers(catalog, tmp_path, lambda: state, 1) as [gateway]:
        first = asyncio.create_task(ask(gateway, QUESTION))
        late = asyncio.create_task(ask(gateway, wording))
        await until(lambda: len(state.waits) == 2)
        state.waits[0].set()
        done, _ = await asyncio.wait((first, late), return_when="FIRST_COMPLETED")
        state.waits[1].set()
        replies = await asyncio.gather(first, late)
        stats = gateway.runtime.cache.stats()

    assert len(done) == 1
    assert [reply.status for reply in replies] == [200, 200]
    assert sorted(r.headers["x-llm-router-cache"] for r in replies) == ["HIT", "MISS"]
    assert len(upstream.attempts) == 1
    assert (sum(stats.hits.values()), stats.misses) == (1, 1)


def watched(redis: RedisServer) -> bool:
    with Redis.from_url(redis.url) as client:
        return any(client.scan_iter(f"{PREFIX}*:watch"))


async def test_d9_on_two_workers_a_crowd_at_the_end_of_a_lifetime_makes_one_call(
    upstream: FaultLLM, tmp_path: Path
):
    clock = Clock()
    memory = MemoryState(clock)
    catalog = one_backend(upstream.url, cache_ttl_seconds=100.0)
    async with workers(catalog, tmp_path, lambda: memory, clock=clock) as gateways:
        for gateway in gateways:
            await ask(gateway, QUESTION)
        assert len(upstream.attempts) == 1
        clock.now += 115.0
        upstream.always = "hold"
        crowd = [
            asyncio.create_task(ask(gateway, QUESTION))
            for gateway in gateways
            for _ in range(30)
        ]
        await upstream.until(lambda: upstream.holding == 1)
        for gateway in gateways:
            await gateway.called(30)
        upstream.release()
        replies = await asyncio.gather(*crowd)

    assert {reply.status for reply in replies} == {200}
    assert len({reply.content for reply in replies}) == 1
    assert len(upstream.attempts) == 2


async def test_d9_on_two_workers_a_stale_answer_is_bought_anew_once(
    upstream: FaultLLM, tmp_path: Path
):
    clock = Clock()
    memory = MemoryState(clock)
    catalog = one_backend(
        upstream.url, cache_ttl_seconds=100.0, cache_stale_seconds=60.0
    )
    async with workers(catalog, tmp_path, lambda: memory, clock=clock) as gateways:
        for gateway in gateways:
            old = await ask(gateway, QUESTION)
        clock.now += 115.0
        upstream.always = "hold"
        crowd = await asyncio.gather(
            *(ask(gateway, QUESTION) for gateway in gateways for _ in range(20))
        )
        await until(lambda: all(len(each.runtime.inflight) for each in gateways))
        await upstream.until(lambda: upstream.holding == 1)
        upstream.release()
        await all_settled(gateways)
        for gateway in gateways:
            await ask(gateway, QUESTION)
        await all_settled(gateways)
        fresh = [await ask(gateway, QUESTION) for gateway in gateways]

    assert {reply.text for reply in crowd} == {old.text}
    assert {reply.headers["x-llm-router-cache"] for reply in (*crowd, *fresh)} == {
        "HIT"
    }
    assert len({reply.text for reply in fresh}) == 1
    assert fresh[0].text != old.text
    assert len(upstream.attempts) == 2


async def all_settled(gateways: list[Gateway]) -> None:
    for gateway in gateways:
        await gateway.settled()
