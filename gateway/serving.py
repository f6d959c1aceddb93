"""Runs uvicorn: guarded connections, a drain that ends with exit code 0."""

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import uvicorn
from django.conf import settings
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.api.render import JSON, error_body, request_headers
from gateway.asgi.exchange import EXCHANGE, Exchange
from gateway.asgi.routes import dialect_of
from gateway.errors import InvalidHttp
from gateway.request_ids import new_request_id

HEADER_SECONDS = 30.0
HEADER_BYTES = 64 << 10
# Readiness fails this long before connections are refused, for balancers to notice.
UNREADY_SECONDS = 0.5
# The last one comes from a terminal that was closed.
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a deadline for a request's headers, and JSON errors."""

    _deadline: asyncio.TimerHandle | None = None  # set while headers are awaited
    _in_headers = False
    _client_leaves: Callable[[], None] | None = None
    _header_bytes = 0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._expect_headers()

    def data_received(self, data: bytes) -> None:
        if not self._in_headers and (
            self.cycle is None or self.cycle.response_complete
        ):
            self._in_headers = True
            self._header_bytes = 0
        self._header_bytes += len(data)
        super().data_received(data)
        if self._in_headers:  # most requests arrive whole, and need no timer
            if self._deadline is None:
                self._expect_headers()
            if self._header_bytes > HEADER_BYTES:
                self._refuse("The headers are longer than 64 KiB.")

    def on_headers_complete(self) -> None:
        self._in_headers = False
        self._cancel_deadline()
        super().on_headers_complete()
        # Its task runs later than this. Of several requests at once each has its own.
        offered: dict[str, Any] = {
            EXCHANGE: Exchange(self.cycle, self.call_when_client_leaves)
        }
        self.scope["extensions"] = offered

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_deadline()
        super().connection_lost(exc)
        if self._client_leaves:
            self._client_leaves()

    def call_when_client_leaves(self, callback: Callable[[], None] | None) -> None:
        """For the one request under way; None when it is over."""
        self._client_leaves = callback

    def send_400_response(self, msg: str) -> None:
        self._refuse("This is not a valid HTTP request.")

    def _refuse(self, message: str) -> None:
        """In the client's dialect, as far as the address and the headers were read."""
        versioned = any(name == b"anthropic-version" for name, _ in self.headers or ())
        path = (self.url or b"").partition(b"?")[0].decode("latin-1")
        dialect = dialect_of(path, has_version=versioned)
        request_id = new_request_id()
        body = error_body(InvalidHttp(message), dialect, request_id)
        headers = (
            JSON,
            *request_headers(request_id),
            ("content-length", str(len(body))),
            ("connection", "close"),
        )
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        head = f"HTTP/1.1 400 Bad Request\r\n{lines}\r\n"
        self.transport.write(head.encode() + body)
        self.transport.close()

    def _expect_headers(self) -> None:
        self._deadline = self.loop.call_later(HEADER_SECONDS, self._too_late)

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.close()


class DrainingServer(uvicorn.Server):
    """SIGTERM: readiness fails, what runs gets its grace, the books close, exit 0."""

    def __init__(
        self, config: uvicorn.Config, leave: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(config)
        self._leave = leave  # makes room for the next server

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn raises the signal again at the end, which would be the exit code.
        earlier = {
            number: signal.signal(number, self.handle_exit)
            for number in STOPPING
            if signal.getsignal(number) is not signal.SIG_IGN  # as nohup asks
        }
        try:
            yield
        finally:
            for number, handler in earlier.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What is loaded by now stays: no collection needs to look at it again, and
        # few need to look at the answers in the cache.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 50)
        # The ledger's thread must not hold up an answer for the default 5 ms.
        sys.setswitchinterval(0.0005)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._draining:
            self.should_exit = True
            self.force_exit = sig == signal.SIGINT  # asked twice: at once
            return
        self._draining = True
        loop = asyncio.get_running_loop()
        loop.call_soon_threadsafe(self._drain, loop)

    _draining = False

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._leave()
        await super().shutdown(sockets)

    def _drain(self, loop: asyncio.AbstractEventLoop) -> None:
        # The loaded one: a worker must not import it before Django is set up.
        application: Any = self.config.loaded_app
        application.lifespan.drain()
        loop.call_later(UNREADY_SECONDS, self._stop)
        loop.call_later(settings.DRAIN_SECONDS, application.lifespan.end_calls)

    def _stop(self) -> None:
        self.should_exit = True


def uvicorn_config(workers: int) -> uvicorn.Config:
    return uvicorn.Config(
        "config.asgi:application",
        workers=workers,
        loop="uvloop",
        http=GuardedProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        # The lifespan ends streams politely at DRAIN_SECONDS; this is the last resort.
        timeout_graceful_shutdown=settings.DRAIN_SECONDS + 5,
    )
