"""Single flight: who shares a call, who pays for it, and what becomes of the others.

The loop is stepped by hand: `settle()` lets everything run that can run.
"""

import asyncio
import gc
import weakref
from itertools import combinations

import pytest

from gateway.errors import GatewayError, InternalError, Overloaded, UpstreamServerError
from gateway.inflight import LAG_BYTES, Bounds, InFlight

KEY = b"key"
SMALL = Bounds(join_bytes=100)


async def settle(steps=20):
    for _ in range(steps):
        await asyncio.sleep(0)


class Upstream:
    """Buys answers as the test says, and remembers what it was asked."""

    def __init__(self):
        self.calls = []
        self.cancelled = 0
        self.ended = asyncio.Event()

    async def __call__(self, call):
        """Wait until the test ends the call."""
        self.calls.append(call)
        try:
            await self.ended.wait()
            if not call.done:
                call.finish(b"answer")
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


@pytest.fixture
def upstream():
    return Upstream()


@pytest.fixture
def inflight():
    return InFlight()


def join(inflight, upstream, count=1, key=KEY, bounds=SMALL):
    return [inflight.join(key, bounds, upstream)[0] for _ in range(count)]


async def wait(reader):
    """What a client does that wants a whole answer."""
    try:
        return await reader.completion()
    finally:
        reader.close()


async def follow(reader, into):
    """What a client does that wants a stream."""
    try:
        async for chunk in reader.chunks():
            into.append(chunk["n"])
    finally:
        reader.close()


def chunk(number):
    return {"n": number}


# --- one call for all -----------------------------------------------------------------


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


# --- leaving --------------------------------------------------------------------------


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


# --- failing --------------------------------------------------------------------------


async def test_an_error_reaches_every_reader_once_and_is_not_bought_again(inflight):
    bought = []

    async def fail(call):
        bought.append(call)
        await asyncio.sleep(0)
        raise UpstreamServerError("The provider failed.")

    readers = join(inflight, fail, 50)
    results = await asyncio.gather(*map(wait, readers), return_exceptions=True)
    assert len(bought) == 1
    assert all(isinstance(result, UpstreamServerError) for result in results)
    await settle()
    assert inflight.join(KEY, SMALL, fail)[1]
    await inflight.close()


async def test_a_bug_while_buying_leaves_nobody_hanging_and_the_key_free(inflight):
    async def buy(call):
        await asyncio.sleep(0)
        raise KeyError("a bug of ours, with a secret in it")

    results = await asyncio.gather(
        *map(wait, join(inflight, buy, 5)), return_exceptions=True
    )
    assert all(isinstance(result, InternalError) for result in results)
    assert "secret" not in str(results)
    await settle()
    assert len(inflight) == 0
    assert inflight.join(KEY, SMALL, buy)[1]
    await inflight.close()


async def test_a_call_that_ends_without_an_answer_is_an_error(inflight):
    async def forget(call):
        return

    [reader] = join(inflight, forget)
    with pytest.raises(InternalError):
        await wait(reader)


async def test_a_call_that_finishes_without_the_answer_asked_for_is_an_error(inflight):
    async def finish_as_a_stream(call):
        call.finish()

    [reader] = join(inflight, finish_as_a_stream)
    with pytest.raises(InternalError):
        await wait(reader)


@pytest.mark.parametrize("step", range(8))
async def test_a_purchase_cancelled_at_any_step_leaves_nobody_hanging(inflight, step):
    async def buy(call):
        for number in range(6):
            await asyncio.sleep(0)
            call.publish(chunk(number), 1)
        call.finish()

    heard = [[] for _ in range(3)]
    readers = join(inflight, buy, 3)
    following = [
        asyncio.create_task(follow(r, h)) for r, h in zip(readers, heard, strict=True)
    ]
    await settle(step)
    readers[0].call.task.cancel()
    async with asyncio.timeout(20):
        results = await asyncio.gather(*following, return_exceptions=True)
    await settle()
    assert heard[0] == heard[1] == heard[2] == [*range(len(heard[0]))]
    complete = len(heard[0]) == 6
    assert all(
        result is None if complete else isinstance(result, InternalError)
        for result in results
    )
    assert len(inflight) == 0
    assert inflight.join(KEY, SMALL, buy)[1]
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


# --- streams --------------------------------------------------------------------------


class Stream:
    """Publishes chunks when the test says so, each of the same size."""

    def __init__(self, size=10):
        self.size = size
        self.sent = 0
        self.more = asyncio.Semaphore(0)
        self.total = None

    async def __call__(self, call):
        while self.total is None or self.sent < self.total:
            await self.more.acquire()
            call.publish(chunk(self.sent), self.size)
            self.sent += 1
            await call.room()
        call.finish()

    async def send(self, count):
        for _ in range(count):
            self.more.release()
        await settle()

    async def end(self, total):
        self.total = total
        await self.send(total - self.sent)


def start_following(reader):
    heard = []
    return heard, asyncio.create_task(follow(reader, heard))


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
