"""Single flight: who shares a call, and what becomes of it."""

import asyncio

import pytest

from gateway.errors import GatewayError, Overloaded
from gateway.shared_call import Bounds
from tests.gateway.inflight.calls import (
    KEY,
    SMALL,
    join,
    settle,
    wait,
)


async def test_identical_requests_share_one_call(inflight, upstream):
    first, leads = inflight.join(KEY, SMALL, upstream)
    second, follows = inflight.join(KEY, SMALL, upstream)
    assert (leads, follows) == (True, False)
    readers = [first, second, *join(inflight, upstream, 48)]
    waiting = [asyncio.create_task(wait(reader)) for reader in readers]
    await settle()
    assert (len(upstream.calls), len(inflight)) == (1, 1)
    upstream.ended.set()
    assert await asyncio.gather(*waiting) == [b"answer"] * 50
    await settle()
    assert len(inflight) == 0


async def test_different_keys_and_no_key_share_nothing(inflight, upstream):
    readers = join(inflight, upstream, key=b"one") + join(
        inflight, upstream, key=b"two"
    )
    readers += join(inflight, upstream, 3, key=None)
    await settle()
    assert len(upstream.calls) == 5
    upstream.ended.set()
    assert await asyncio.gather(*map(wait, readers)) == [b"answer"] * 5


async def test_a_call_that_ended_is_not_joined(inflight, upstream):
    [reader] = join(inflight, upstream)
    upstream.ended.set()
    assert await wait(reader) == b"answer"
    _, leads = inflight.join(KEY, SMALL, upstream)
    assert leads
    await inflight.close()


async def test_a_full_call_takes_no_more_readers(inflight, upstream):
    bounds = Bounds(max_readers=3)
    leads = [inflight.join(KEY, bounds, upstream)[1] for _ in range(7)]
    assert leads == [True, False, False, True, False, False, True]
    await inflight.close()


async def test_a_new_call_keeps_its_key_when_the_one_before_it_ends(inflight, upstream):
    [old] = join(inflight, upstream)
    await settle()
    old.call.finish(b"old")  # its task still has something to do
    [new] = join(inflight, upstream)
    old.call.task.cancel()
    await settle()
    assert len(inflight) == 1
    reader, leads = inflight.join(KEY, SMALL, upstream)
    assert (reader.call, leads) == (new.call, False)
    await inflight.close()


async def test_ending_all_calls_tells_every_reader_the_reason(inflight, upstream):
    waiting = []
    for key in (b"one", b"two", None):
        for reader in join(inflight, upstream, 2, key=key):
            waiting.append(asyncio.create_task(wait(reader)))
    await settle()
    inflight.fail_all(Overloaded("The gateway stops."))
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [str(result) for result in results] == ["The gateway stops."] * 6
    await settle()
    assert upstream.cancelled == len(upstream.calls) == 4
    assert len(inflight) == 0


@pytest.mark.parametrize("step", [0, 5])
async def test_closing_waits_for_the_bookkeeping_of_every_call(inflight, step):
    settled = []

    async def buy(call):
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            settled.append(call)

    waiting = [
        asyncio.create_task(wait(reader))
        for key in (b"one", b"two")
        for reader in join(inflight, buy, 2, key=key)
    ]
    await settle(step)
    await inflight.close()
    assert len(settled) == (2 if step else 0)
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(result, GatewayError) for result in results)
    assert len(inflight) == 0
