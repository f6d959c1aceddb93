"""A call that fails tells every reader, once."""

import asyncio

import pytest

from gateway.errors import InternalError, UpstreamServerError
from tests.gateway.inflight.calls import (
    KEY,
    SMALL,
    chunk,
    follow,
    join,
    settle,
    wait,
)


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
    assert not inflight._calls  # nor is a place kept for what is over
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
