"""What Redis did, but could not say, is counted once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from gateway.limits.counters import Count, CountersDown
from gateway.limits.in_redis import RedisCounters
from gateway.shared.link import Link
from gateway.shared.seal import Seal
from tests.gateway.limits.samples import NOON, mark, no_books, settled
from tests.redis_server import RedisServer

pytestmark = pytest.mark.service


class Lossy:
    """Before a Redis: when told to, it ends a connection instead of giving the answer
    to a script that ran."""

    def __init__(self) -> None:
        self.losing = False
        self.lost = 0

    async def serve(
        self, redis: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        from_redis, to_redis = await asyncio.open_unix_connection(redis)
        back = asyncio.create_task(self._back(from_redis, writer))
        with suppress(OSError):
            while data := await reader.read(65536):
                self._script = b"EVALSHA" in data
                to_redis.write(data)
        back.cancel()
        to_redis.close()
        writer.close()

    async def _back(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(65536):
            if self.losing and self._script and not data.startswith(b"-"):
                self.losing = False
                self.lost += 1
                writer.close()
                return
            writer.write(data)


@pytest.fixture
async def lossy(
    redis: RedisServer, tmp_path: Path
) -> AsyncIterator[tuple[Lossy, RedisCounters]]:
    proxy, path = Lossy(), f"{redis.url.removeprefix('unix://')}.lossy"
    server = await asyncio.start_unix_server(
        lambda r, w: proxy.serve(redis.url.removeprefix("unix://"), r, w), path
    )
    link = Link(f"unix://{path}", 5.0)
    yield proxy, RedisCounters(link, Seal("secret"), no_books, lambda: NOON)
    await link.close()
    server.close()
    Path(path).unlink(missing_ok=True)


async def back(counters: RedisCounters) -> None:
    async with asyncio.timeout(20):
        while not counters.usable:
            await asyncio.sleep(0.02)
    await settled(counters)


async def test_what_was_set_aside_without_an_answer_is_given_back(lossy):
    proxy, counters = lossy
    proxy.losing = True
    with pytest.raises(CountersDown):
        await counters.reserve([mark(60, hold="a")])
    await back(counters)

    assert proxy.lost == 1
    assert await counters.reserve([mark(0)]) == [Count(0, 0)]


async def test_a_settlement_without_an_answer_is_counted_once(lossy):
    proxy, counters = lossy
    await counters.reserve([mark(60, hold="a")])
    await counters.reserve([mark(20, hold="b")])
    proxy.losing = True
    counters.settle([mark(60, hold="a")], [12])
    await settled(counters)
    await back(counters)
    counters.settle([mark(20, hold="b")], [5])  # after the one that is tried again
    await settled(counters)

    assert proxy.lost == 1
    assert await counters.reserve([mark(0)]) == [Count(17, 0)]


async def test_a_hold_that_is_there_is_not_set_aside_again(lossy):
    _, counters = lossy
    first = await counters.reserve([mark(60, hold="a")])

    assert await counters.reserve([mark(60, hold="a")]) == first == [Count(0, 60)]
