"""Reads many streams at once: `python -m benchmarks.stream_client JSON`.

Each chunk of our own upstream tells when it left, so this knows how long it was on its
way, whatever the upstream's timer did.
"""

import asyncio
import json
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import cast

import httptools
import uvloop

from benchmarks.prompts import Prompts

STAMP = re.compile(rb"@(\d+):(\d+)@")
DONE = b"data: [DONE]"
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class StreamOrder:
    """`readers` read `turns` streams each, the first ones spread over `spread`."""

    port: int
    head: str
    prompts: Prompts
    readers: int
    chunks: int
    turns: int = 1
    spread_seconds: float = 0.0

    def dump(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> "StreamOrder":
        values = json.loads(text)
        return cls(**{**values, "prompts": Prompts(**values["prompts"])})


@dataclass
class Notes:
    """Of all streams together, in milliseconds."""

    streams: int = 0
    broken: int = 0
    first: list[float] = field(default_factory=list)
    transit: list[float] = field(default_factory=list)
    stretch: list[float] = field(default_factory=list)

    def add(self, reader: "Reader", chunks: int) -> None:
        self.streams += 1
        if not reader.is_whole(chunks):
            self.broken += 1
            return
        self.first.append((reader.arrived[0] - reader.sent_at) / 1e6)
        transits = [
            (arrived - left) / 1e6
            for arrived, left in zip(reader.arrived, reader.left, strict=True)
        ]
        self.transit += transits
        # How much longer a gap was here than where it was made.
        self.stretch += [
            max(0.0, later - earlier)
            for earlier, later in zip(transits, transits[1:], strict=False)
        ]

    def summary(self) -> dict[str, float]:
        shares = {
            f"{name}_p{percent}_ms": percentile(values, percent)
            for name, values in (
                ("first", self.first),
                ("transit", self.transit),
                ("stretch", self.stretch),
            )
            for percent in (50, 99)
        }
        return {"streams": self.streams, "broken": self.broken, **shares}


def percentile(values: list[float], percent: int) -> float:
    ordered = sorted(values) or [0.0]
    return ordered[len(ordered) * percent // 100]


class Reader(asyncio.Protocol):
    """One stream on a connection of its own; `ended` is set when it is over."""

    transport: asyncio.Transport

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.parser = httptools.HttpResponseParser(self)
        self.ended = asyncio.get_running_loop().create_future()
        self.sent_at = self.now = 0
        self.numbers: list[int] = []
        self.left: list[int] = []
        self.arrived: list[int] = []
        self.done = self.complete = False
        self.rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.sent_at = time.monotonic_ns()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.now = time.monotonic_ns()
        self.parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        *lines, self.rest = (self.rest + body).split(b"\n")
        for line in lines:
            self.done = self.done or line.startswith(DONE)
            if stamp := STAMP.search(line):
                self.numbers.append(int(stamp[1]))
                self.left.append(int(stamp[2]))
                self.arrived.append(self.now)

    def on_message_complete(self) -> None:
        self.complete = True
        self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def is_whole(self, chunks: int) -> bool:
        """Every chunk once and in order, and a proper end."""
        in_order = self.numbers == list(range(chunks))
        ok = bool(self.numbers) and self.parser.get_status_code() == 200
        return ok and in_order and self.done and self.complete


async def read_turns(
    order: StreamOrder, wait: float, indexes: Iterator[int], notes: Notes
) -> None:
    await asyncio.sleep(wait)
    for _ in range(order.turns):
        reader = await read_one(order, next(indexes))
        notes.add(reader, order.chunks)


async def read_one(order: StreamOrder, index: int) -> Reader:
    body = order.prompts.body(index, stream=True)
    reader = Reader(f"{order.head}{len(body)}\r\n\r\n{body}".encode())
    loop = asyncio.get_running_loop()
    await loop.create_connection(lambda: reader, "127.0.0.1", order.port)
    try:
        await asyncio.wait_for(reader.ended, PATIENCE_SECONDS)
    except TimeoutError:
        reader.transport.abort()
    return reader


async def read_all(order: StreamOrder) -> dict[str, float]:
    notes = Notes()
    indexes = count(order.prompts.first)
    async with asyncio.TaskGroup() as group:
        for number in range(order.readers):
            wait = order.spread_seconds * number / order.readers
            group.create_task(read_turns(order, wait, indexes, notes))
    return notes.summary()


if __name__ == "__main__":
    print(json.dumps(uvloop.run(read_all(StreamOrder.load(sys.argv[1])))))
