"""Who reads too slowly is let go, and what all have read is forgotten."""

import asyncio
import gc
import weakref

import pytest

from gateway.errors import Overloaded
from gateway.shared_call import LAG_BYTES, Bounds
from tests.gateway.inflight.calls import (
    Stream,
    follow,
    join,
    settle,
    start_following,
)


async def test_a_laggard_is_let_go_and_the_others_go_on(inflight):
    stream = Stream(size=LAG_BYTES // 4)
    bounds = Bounds(join_bytes=LAG_BYTES)
    fast, also_fast, slow = join(inflight, stream, 3, bounds=bounds)
    first, following = start_following(fast)
    second, also_following = start_following(also_fast)
    chunks = slow.chunks()
    await stream.send(1)
    assert (await anext(chunks))["n"] == 0
    await stream.end(20)
    await asyncio.gather(following, also_following)
    assert first == second == [*range(20)]
    with pytest.raises(Overloaded):
        await anext(chunks)


async def test_a_laggard_that_has_not_begun_to_read_is_told_and_not_left_hanging(
    inflight,
):
    stream = Stream(size=LAG_BYTES // 4)
    fast, slow = join(inflight, stream, 2, bounds=Bounds(join_bytes=LAG_BYTES))
    _, following = start_following(fast)
    await stream.send(10)
    async with asyncio.timeout(20):
        await slow.started()
    with pytest.raises(Overloaded):
        await follow(slow, [])
    following.cancel()
    await settle()


async def test_the_last_reader_is_never_let_go_however_slow(inflight):
    stream = Stream(size=LAG_BYTES * 2)
    [reader] = join(inflight, stream, bounds=Bounds(join_bytes=LAG_BYTES * 4))
    await stream.send(2)
    heard, following = start_following(reader)
    await stream.end(5)
    await following
    assert heard == [*range(5)]


async def test_chunks_that_everybody_has_read_are_forgotten(inflight):
    class Chunk(dict):
        pass

    published = []

    async def buy(call):
        for number in range(1000):
            piece = Chunk(n=number)
            published.append(weakref.ref(piece))
            call.publish(piece, 30)
            await call.room()
            await asyncio.sleep(0)
        del piece
        await asyncio.Event().wait()

    heard, following = start_following(join(inflight, buy)[0])
    while len(heard) < 1000:
        await asyncio.sleep(0)
    gc.collect()
    assert sum(reference() is not None for reference in published) <= 5
    following.cancel()
    await settle()
