"""Late joiners, slow readers, and a producer that waits."""

import asyncio

import pytest

from gateway.errors import UpstreamServerError
from gateway.shared_call import Bounds
from tests.gateway.inflight.calls import (
    KEY,
    SMALL,
    Stream,
    chunk,
    follow,
    join,
    settle,
    start_following,
)


@pytest.mark.parametrize("joined_at", range(10))
async def test_whoever_joins_late_hears_the_same_from_the_beginning(
    inflight, joined_at
):
    stream = Stream()
    early, following = start_following(join(inflight, stream)[0])
    await stream.send(joined_at)
    assert early == [*range(joined_at)]
    reader, leads = inflight.join(KEY, SMALL, stream)
    assert not leads
    late, also_following = start_following(reader)
    await settle()
    assert late == [*range(joined_at)]
    await stream.end(30)
    await asyncio.gather(following, also_following)
    assert early == late == [*range(30)]


async def test_a_stream_too_long_to_be_replayed_is_not_joined(inflight):
    stream = Stream(size=10)
    heard, following = start_following(join(inflight, stream)[0])
    await stream.send(10)
    assert inflight.join(KEY, SMALL, stream)[1] is False
    await stream.send(1)
    other = Stream()
    _, leads = inflight.join(KEY, SMALL, other)
    assert leads
    await stream.end(12)
    await following
    assert heard == [*range(12)]
    await inflight.close()


async def test_a_reader_starts_with_the_first_chunk_or_the_end(inflight):
    stream = Stream()
    [reader] = join(inflight, stream)
    starting = asyncio.create_task(reader.started())
    await settle()
    assert not starting.done()
    await stream.send(1)
    assert starting.done()
    reader.close()


async def test_an_error_before_the_first_chunk_is_raised_at_the_start(inflight):
    async def fail(call):
        raise UpstreamServerError("The provider failed.")

    [reader] = join(inflight, fail)
    with pytest.raises(UpstreamServerError):
        await reader.started()
    reader.close()


async def test_an_error_in_the_middle_comes_after_what_arrived_before_it(inflight):
    async def buy(call):
        call.publish(chunk(0), 1)
        call.publish(chunk(1), 1)
        raise UpstreamServerError("The provider failed.")

    [reader, other] = join(inflight, buy, 2)
    await settle()
    for each in (reader, other):
        await each.started()
        heard = []
        with pytest.raises(UpstreamServerError):
            await follow(each, heard)
        assert heard == [0, 1]


async def test_a_slow_reader_slows_the_producer_down(inflight):
    stream = Stream(size=60)
    [reader] = join(inflight, stream)
    await stream.send(50)
    assert stream.sent == 2  # more than 100 bytes ahead it waits
    chunks = reader.chunks()
    for expected in range(10):
        assert (await anext(chunks))["n"] == expected
        await settle()
        assert stream.sent == expected + 3
    reader.close()


async def test_the_producer_waits_for_the_fastest_reader_only(inflight):
    stream = Stream(size=60)
    fast, slow = join(inflight, stream, 2)
    heard, following = start_following(fast)
    await stream.send(500)
    await settle(2000)
    assert stream.sent == len(heard) == 500
    slow.close()
    following.cancel()


async def test_a_waiting_producer_goes_on_when_the_reader_it_waited_for_leaves(
    inflight,
):
    stream = Stream(size=60)
    bounds = Bounds(join_bytes=100, linger_seconds=60)
    [reader] = join(inflight, stream, bounds=bounds)
    await stream.send(10)
    assert stream.sent == 2
    reader.close()
    await settle()
    assert stream.sent == 10


@pytest.mark.parametrize("step", range(12))
async def test_leaving_a_stream_at_any_step_leaves_the_others_whole(inflight, step):
    async def buy(call):
        for number in range(8):
            call.publish(chunk(number), 10)
            await call.room()
            await asyncio.sleep(0)
        call.finish()

    heard, following = zip(*map(start_following, join(inflight, buy, 3)), strict=True)
    await settle(step)
    following[0].cancel()
    await asyncio.gather(*following[1:])
    assert heard[1] == heard[2] == [*range(8)]
    assert heard[0] == [*range(len(heard[0]))]
    await settle()
    assert len(inflight) == 0
