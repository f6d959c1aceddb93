"""Providers and readers that the test leads by the hand.

The loop is stepped by hand: `settle()` lets everything run that can run.
"""

import asyncio

from gateway.shared_call import Bounds

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
