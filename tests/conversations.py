"""Servers of the tests whose end leaves no socket open, whoever connects meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager

ACCEPTING = 3  # rounds of the loop until what was accepted has its transport

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Conversations:
    """The tasks of a server, each with the connection that it serves."""

    def __init__(self) -> None:
        self._under_way: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    def begin(
        self, serve: Coroutine[None, None, None], writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.create_task(serve)
        self._under_way[task] = writer
        task.add_done_callback(self._over)

    async def end(self, server: asyncio.Server) -> None:
        """Accept nobody any more, and cut who is still there."""
        # Closed at once, it would forget the socket of who has no transport yet.
        for listener in server.sockets:
            asyncio.get_running_loop().remove_reader(listener.fileno())
        for _ in range(ACCEPTING):
            await asyncio.sleep(0)
        server.close()
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await asyncio.sleep(0)  # until what was aborted is closed

    def _over(self, task: asyncio.Task[None]) -> None:
        writer = self._under_way.pop(task)
        # It is cancelled before it began, or before it could close.
        if task.cancelled():
            writer.transport.abort()


@asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[str]:
    """`serve` each connection to a port of this host; gives `http://HOST:PORT`."""
    conversations = Conversations()

    async def converse(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversations.begin(converse(reader, writer), writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        await conversations.end(server)
