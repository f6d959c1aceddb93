"""A tiny raw upstream: `python -m benchmarks.servers.canned`.

Any path gets one canned completion at once, whatever was asked. Below
`/stream/CHUNKS/GAP_MS/` the answer is a stream whose chunks carry their number and the
moment they left (`@7:123456789@`: monotonic nanoseconds, one clock for all processes of
a machine), so that a client can tell how long each was on its way.
"""

import asyncio
import socket
import time
from typing import cast

import orjson
import uvloop

USAGE = {"prompt_tokens": 40, "completion_tokens": 60, "total_tokens": 100}
HEAD = {"id": "chatcmpl-canned", "created": 1_700_000_000, "model": "canned"}
TEXT = (
    "This answer was written long before the question was asked, and it is as long as "
    "a short answer of a real model, so that it costs what such an answer costs."
)
COMPLETION = orjson.dumps(
    {
        **HEAD,
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": TEXT},
                "finish_reason": "stop",
            }
        ],
        "usage": USAGE,
    }
)
WHOLE = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
    % (len(COMPLETION), COMPLETION)
)
STREAM = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)


class Connection(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self) -> None:
        self.buffer = b""
        self.streaming: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := request_end(self.buffer)) is not None:
            head, self.buffer = self.buffer[:end], self.buffer[end:]
            path = head.split(b" ", 2)[1].split(b"/")
            if path[1] == b"stream":
                run = stream(self.transport, int(path[2]), int(path[3]) / 1000)
                self.streaming = asyncio.get_running_loop().create_task(run)
            else:
                self.transport.write(WHOLE)

    def connection_lost(self, error: Exception | None) -> None:
        if self.streaming:
            self.streaming.cancel()


def request_end(data: bytes) -> int | None:
    """Where the first request in `data` ends, or None while it is incomplete."""
    head_end = data.find(b"\r\n\r\n")
    if head_end < 0:
        return None
    length = 0
    for line in data[:head_end].lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line[15:])
    end = head_end + 4 + length
    return end if end <= len(data) else None


async def stream(transport: asyncio.Transport, chunks: int, gap: float) -> None:
    """The role, then text at even moments, then the end with its usage."""
    began = time.monotonic()
    transport.write(STREAM + event({"role": "assistant", "content": ""}))
    for number in range(chunks):
        await asyncio.sleep(max(0.0, began + number * gap - time.monotonic()))
        stamp = f"@{number}:{time.monotonic_ns()}@"
        transport.write(event({"content": f"{stamp} some words "}))
    transport.write(
        event({}, finish_reason="stop")
        + framed({**HEAD, "choices": [], "usage": USAGE})
        + b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"
    )


def event(delta: dict[str, str], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return framed({**HEAD, "object": "chat.completion.chunk", "choices": [choice]})


def framed(chunk: dict[str, object]) -> bytes:
    data = b"data: %s\n\n" % orjson.dumps(chunk)
    return b"%x\r\n%s\r\n" % (len(data), data)


async def serve() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    server = await asyncio.get_running_loop().create_server(Connection, sock=listener)
    print("listening on", listener.getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve())
