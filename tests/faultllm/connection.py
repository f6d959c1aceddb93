"""One accepted connection, which notices at once when its peer hangs up."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable

from tests.faultllm.journal import Outcome
from tests.faultllm.wire import HEAD_LIMIT


class Connection(asyncio.StreamReaderProtocol):
    """A stream reader and writer, and `gone`: done once the peer sent FIN or RST."""

    def __init__(self, number: int, accepted: Callable[["Connection"], None]) -> None:
        self.reader = asyncio.StreamReader(limit=HEAD_LIMIT)
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.number = number
        self._accepted = accepted
        super().__init__(self.reader, self._start)

    def _start(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.writer = writer
        self._accepted(self)

    def eof_received(self) -> bool | None:
        self._peer_left()
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._peer_left()
        super().connection_lost(exc)

    def _peer_left(self) -> None:
        if not self.gone.done():
            self.gone.set_result(None)

    async def pause(self, seconds: float | None) -> None:
        """Wait, but no longer than the peer does."""
        await asyncio.wait([self.gone], timeout=seconds)

    async def end(self, outcome: Outcome) -> None:
        """A RST when that is the outcome; else a FIN, after what has been written
        if the peer is still there to read it."""
        if outcome == "reset":
            await self._arm_reset()
        if outcome in ("completed", "closed"):
            self.writer.close()
        else:
            self.writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()

    async def _arm_reset(self) -> None:
        self.writer.transport.set_write_buffer_limits(high=0)
        with contextlib.suppress(ConnectionError):
            await self.writer.drain()
        sock: socket.socket = self.writer.get_extra_info("socket")
        linger_zero = struct.pack("ii", 1, 0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_zero)
