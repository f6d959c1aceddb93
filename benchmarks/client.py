"""Our own load client, for machines without wrk: `python -m benchmarks.client JSON`."""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass
from itertools import count
from typing import cast

import httptools
import uvloop

from benchmarks.prompts import Prompts


@dataclass(frozen=True)
class Order:
    """What to send. It ends after `seconds` or `messages`, whichever is given."""

    port: int
    head: str
    prompts: Prompts
    connections: int
    seconds: float = 0.0
    messages: int = 0
    pause_ms: int = 0

    def dump(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> "Order":
        values = json.loads(text)
        return cls(**{**values, "prompts": Prompts(**values["prompts"])})


class Crew:
    """All connections together: what they send next, and what they saw."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.indexes = count(order.prompts.first)
        self.left_to_send = order.messages or sys.maxsize
        self.connections = order.connections
        self.began = time.perf_counter()
        self.ends = self.began + (order.seconds or 3600)
        self.latencies: list[float] = []
        self.errors = 0
        self.everybody_left = asyncio.get_running_loop().create_future()

    def next_request(self) -> bytes | None:
        if time.perf_counter() >= self.ends or not self.left_to_send:
            return None
        self.left_to_send -= 1
        body = self.order.prompts.body(next(self.indexes))
        return f"{self.order.head}{len(body)}\r\n\r\n{body}".encode()

    def note(self, seconds: float, status: int) -> None:
        self.latencies.append(seconds)
        self.errors += status != 200

    def left(self, *, unanswered: bool) -> None:
        self.errors += unanswered
        self.connections -= 1
        if not self.connections:
            self.everybody_left.set_result(None)

    def summary(self) -> dict[str, float]:
        ordered = sorted(self.latencies) or [0.0]
        return {
            "requests": len(self.latencies),
            "seconds": time.perf_counter() - self.began,
            "p50_ms": ordered[len(ordered) // 2] * 1000,
            "p99_ms": ordered[len(ordered) * 99 // 100] * 1000,
            "errors": self.errors,
        }


class Connection(asyncio.Protocol):
    """Sends the next prompt as soon as its answer is complete."""

    transport: asyncio.Transport

    def __init__(self, crew: Crew) -> None:
        self.crew = crew
        self.sent_at = 0.0  # 0: nothing is on its way

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.send()

    def send(self) -> None:
        request = self.crew.next_request()
        if request is None or self.transport.is_closing():
            self.transport.close()
            return
        self.parser = httptools.HttpResponseParser(self)
        self.sent_at = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        seconds = time.perf_counter() - self.sent_at
        self.sent_at = 0.0
        self.crew.note(seconds, self.parser.get_status_code())
        # Later, not from within the parser, which the next request replaces.
        pause = self.crew.order.pause_ms / 1000
        asyncio.get_running_loop().call_later(pause, self.send)

    def connection_lost(self, error: Exception | None) -> None:
        self.crew.left(unanswered=bool(self.sent_at))


async def put_load(order: Order) -> dict[str, float]:
    crew = Crew(order)
    loop = asyncio.get_running_loop()
    for _ in range(order.connections):
        await loop.create_connection(lambda: Connection(crew), "127.0.0.1", order.port)
    await crew.everybody_left
    return crew.summary()


if __name__ == "__main__":
    print(json.dumps(uvloop.run(put_load(Order.load(sys.argv[1])))))
