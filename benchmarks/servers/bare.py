"""What the gateway is compared with: `python -m benchmarks.servers.bare [UPSTREAM]`.

With an upstream it is the floor: a bare ASGI callable that forwards with aiohttp, and
does nothing else. Without one it is the ceiling: it reads JSON and answers with a
canned body. Both run under the gateway's own server: uvicorn, uvloop, httptools.
"""

import socket
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import aiohttp
import orjson
import uvicorn
import uvloop

from benchmarks.servers.canned import COMPLETION

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
JSON = (b"content-type", b"application/json")
ANSWER = orjson.loads(COMPLETION)


async def ceiling(scope: Message, receive: Receive, send: Send) -> None:
    orjson.loads(await read(receive))
    await answer(send, orjson.dumps(ANSWER))


class Floor:
    """Forwards what comes to `upstream`; streams as they arrive."""

    def __init__(self, upstream: str) -> None:
        self.url = f"{upstream}/chat/completions"
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        body = await read(receive)
        headers = {"content-type": "application/json"}
        async with self.session.post(self.url, data=body, headers=headers) as response:
            if response.content_type == "application/json":
                await answer(send, await response.read())
                return
            await start(send, [(b"content-type", b"text/event-stream")])
            async for piece in response.content.iter_any():
                await send_piece(send, piece, more=True)
            await send_piece(send, b"", more=False)


async def read(receive: Receive) -> bytes:
    pieces = []
    while True:
        message = await receive()
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(pieces)


async def answer(send: Send, body: bytes) -> None:
    await start(send, [JSON, (b"content-length", str(len(body)).encode())])
    await send_piece(send, body, more=False)


async def start(send: Send, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def send_piece(send: Send, piece: bytes, *, more: bool) -> None:
    await send({"type": "http.response.body", "body": piece, "more_body": more})


def configure(app: Callable[..., Awaitable[None]]) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="httptools",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )


async def serve(upstream: str | None) -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print("listening on", listener.getsockname()[1], flush=True)
    app = Floor(upstream) if upstream else ceiling
    await uvicorn.Server(configure(app)).serve(sockets=[listener])


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1] if len(sys.argv) > 1 else None))
