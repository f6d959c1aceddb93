"""One HTTP/1.1 connection to a provider: a request out, its answer in, and again.

Parsed by llhttp (the `httptools` that uvicorn uses). aiohttp's client does more than is
needed here, and took a quarter of a forwarded request's processor time to do it.
"""

import asyncio
from collections import deque
from typing import cast

import httptools

HEADER_BYTES = 64 << 10
BUFFER_BYTES = 256 << 10  # unread; then the provider has to wait
NO_BODY = (204, 304)


class ProtocolError(Exception):
    """What came is not HTTP, or not the HTTP that was asked for."""


class Disconnected(ConnectionError):
    """The connection ended before the answer did."""


class Connection(asyncio.Protocol):
    """`status` and `headers` (lower-case names) are those of the latest answer."""

    status = 0

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport
        self._waiter: asyncio.Future[None] | None = None
        self._lost = False
        self._busy = False
        self._begin()

    def _begin(self) -> None:
        self.headers: dict[str, str] = {}
        self._pieces: deque[bytes] = deque()
        self._buffered = self._header_bytes = 0
        self._answering = self._complete = self._to_the_end = False
        self._keep_alive = self._paused = False
        self._error: Exception | None = None

    # --- for its user -----------------------------------------------------------------

    def send(self, request: bytes) -> None:
        """Begin an exchange. The one before must have been `complete`."""
        self._begin()
        self._busy = True
        self._transport.write(request)

    async def answered(self) -> None:
        """Wait for status and headers. Raises Disconnected or ProtocolError."""
        while not self._answering:
            if self._error:
                raise self._error
            await self._changed()

    async def piece(self) -> bytes:
        """What came of the body next; empty at its end."""
        while not self._pieces:
            if self._complete:
                return b""
            if self._error:
                raise self._error
            await self._changed()
        pieces = self._pieces
        piece = pieces.popleft() if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self._buffered = 0
        if self._paused and not self._lost:
            self._paused = False
            self._transport.resume_reading()
        return piece

    def free(self) -> bool:
        """The exchange is over; may the connection serve another one?"""
        self._busy = False
        return self._complete and self._keep_alive and self.usable and not self._error

    @property
    def usable(self) -> bool:
        return not self._lost and not self._transport.is_closing()

    def close(self) -> None:
        # Not `close`: a request still being written is not wanted any more.
        self._transport.abort()

    async def _changed(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # --- for the event loop -----------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        if not self._busy or self._complete:
            # Something nobody asked for: it must not become the next one's answer.
            self._lost = True
            self._transport.abort()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(ProtocolError("The provider switched protocols."))
        except httptools.HttpParserError as error:
            self._fail(ProtocolError(str(error)))
        if self._buffered > BUFFER_BYTES and not self._paused and not self._error:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        if self._answering and self._to_the_end and exc is None:
            self._complete = True
        if not self._complete:
            self._fail(Disconnected("The provider closed the connection."))
        self._wake()

    def _fail(self, error: Exception) -> None:
        self._error = self._error or error
        self._transport.abort()

    # --- for the parser ---------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self._complete:
            raise ProtocolError("There is more than one answer.")
        self.headers = {}
        self._header_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > HEADER_BYTES:
            raise ProtocolError("The headers are too long.")
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        if self.status < 200:
            return  # "100 Continue" and its like: the answer is yet to come
        self._to_the_end = (
            "content-length" not in self.headers
            and "transfer-encoding" not in self.headers
            and self.status not in NO_BODY
        )
        self._answering = True

    def on_body(self, body: bytes) -> None:
        self._pieces.append(body)
        self._buffered += len(body)

    def on_message_complete(self) -> None:
        if self._answering:
            self._complete = True
            self._keep_alive = self._parser.should_keep_alive()  # true only here
