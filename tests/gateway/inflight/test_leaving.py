"""Whoever leaves, the others get their answer."""

import asyncio
import gc
import weakref
from itertools import combinations

import pytest

from gateway.shared_call import Bounds
from tests.gateway.inflight.calls import (
    KEY,
    SMALL,
    join,
    settle,
    wait,
)

ALL = range(5)
SUBSETS = [s for size in range(1, 6) for s in combinations(ALL, size)]


@pytest.mark.parametrize("leavers", SUBSETS, ids=str)
async def test_whoever_leaves_the_others_get_their_answer(inflight, upstream, leavers):
    readers = join(inflight, upstream, 5)
    waiting = [asyncio.create_task(wait(reader)) for reader in readers]
    await settle()
    for leaver in leavers:
        waiting[leaver].cancel()
    await settle()
    assert upstream.cancelled == (len(leavers) == 5)
    upstream.ended.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    for number in ALL:
        if number in leavers:
            assert isinstance(results[number], asyncio.CancelledError)
        else:
            assert results[number] == b"answer"
    await settle()
    assert len(inflight) == 0


@pytest.mark.parametrize("step", range(6))
@pytest.mark.parametrize("leaver", [0, 1])
async def test_leaving_at_any_step_harms_neither_the_other_nor_the_table(
    inflight, upstream, leaver, step
):
    waiting = [asyncio.create_task(wait(r)) for r in join(inflight, upstream, 2)]
    await settle(step)
    waiting[leaver].cancel()
    await settle(step)
    upstream.ended.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert results[1 - leaver] == b"answer"
    await settle()
    assert (upstream.cancelled, len(inflight)) == (0, 0)
    assert inflight.join(KEY, SMALL, upstream)[1]
    await inflight.close()


@pytest.mark.parametrize("step", range(6))
async def test_a_lone_reader_that_leaves_at_any_step_cancels_its_call(
    inflight, upstream, step
):
    [reader] = join(inflight, upstream)
    await settle(step)
    reader.close()
    reader.close()
    await settle()
    assert len(inflight) == 0
    assert upstream.cancelled == len(upstream.calls)
    _, leads = inflight.join(KEY, SMALL, upstream)
    assert leads
    await inflight.close()


async def test_a_call_about_to_be_cancelled_is_not_joined(inflight, upstream):
    [reader] = join(inflight, upstream)
    await settle()
    reader.close()
    late, leads = inflight.join(KEY, SMALL, upstream)
    assert leads
    upstream.ended.set()
    assert await wait(late) == b"answer"


async def test_a_call_nobody_reads_may_linger_to_its_end(inflight, upstream):
    [reader] = join(inflight, upstream, bounds=Bounds(linger_seconds=60))
    await settle()
    reader.close()
    await settle()
    assert (upstream.cancelled, len(inflight)) == (0, 1)
    upstream.ended.set()
    await settle()
    assert (upstream.cancelled, len(inflight)) == (0, 0)
    assert reader.call.completion == b"answer"


async def test_i8_so_many_calls_linger_and_no_more(inflight, upstream):
    bounds = Bounds(linger_seconds=60, max_lingering=2)
    readers = join(inflight, upstream, 4, key=None, bounds=bounds)
    await settle()
    for reader in readers[:3]:
        reader.close()
    await settle()
    assert (upstream.cancelled, len(inflight)) == (1, 3)
    upstream.ended.set()
    await settle()
    assert len(inflight) == 0
    # Those that ended leave their places to others.
    upstream.ended.clear()
    for reader in join(inflight, upstream, 2, key=None, bounds=bounds):
        await settle()
        reader.close()
    await settle()
    assert (upstream.cancelled, len(inflight)) == (1, 2)
    await inflight.close()


async def test_a_call_nobody_reads_lingers_no_longer_than_its_bound(inflight, upstream):
    [reader] = join(inflight, upstream, bounds=Bounds(linger_seconds=0.01))
    await settle()
    reader.close()
    await settle()
    assert (upstream.cancelled, len(inflight)) == (0, 1)
    await asyncio.wait([reader.call.task], timeout=20)
    assert upstream.cancelled == 1


async def test_what_arrives_when_nobody_reads_any_more_is_not_kept(inflight):
    class Chunk(dict):  # a plain dict can't be referred to weakly
        pass

    published = []
    more = asyncio.Event()

    async def buy(call):
        await more.wait()
        for _ in range(50):
            piece = Chunk()
            published.append(weakref.ref(piece))
            call.publish(piece, 30)
            await call.room()

    [reader] = join(inflight, buy, bounds=Bounds(join_bytes=100, linger_seconds=60))
    await settle()
    reader.close()
    more.set()
    await settle()
    gc.collect()
    assert len(published) == 50
    kept = sum(reference() is not None for reference in published)
    assert kept * 30 <= 100
