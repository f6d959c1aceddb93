"""The one place that opens connections: completion calls and side calls alike.

Completion calls go over our own thin connections; httpx, over the same guarded sockets,
serves whatever is off the request path (probes, the sidecar).
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from math import inf

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from gateway.deadlines import Deadline, Deadlines
from gateway.errors import (
    BadUpstreamResponse,
    UpstreamError,
    UpstreamIncomplete,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from gateway.providers.addresses import ForbiddenAddress
from gateway.providers.connection import Connection, ProtocolError
from gateway.providers.connections import (
    DNS_SECONDS,
    KEEPALIVE_SECONDS,
    Connections,
    LookUp,
    Target,
    look_up,
    target_of,
)
from gateway.providers.decoding import BadEncoding, decoder_of

FINISH_SECONDS = 1.0
OWN_HEADERS = (
    "accept: */*\r\naccept-encoding: gzip, deflate\r\nuser-agent: llm-router\r\n"
)


@dataclass(slots=True)
class Call:
    """A POST ready to be sent. `sent` tells whether the provider may have seen it,
    `notes` tell people what it had to go without."""

    url: str
    headers: dict[str, str] = field(repr=False)  # one of them is the provider's key
    body: bytes = field(repr=False)
    notes: tuple[str, ...] = ()
    sent: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """The four timers of a call, in seconds, and the bound of its answer. `total` runs
    from the request's leaving to the answer's end."""

    connect: float
    first_byte: float
    gap: float
    total: float
    max_bytes: int


class ConnectionLost(UpstreamUnavailable):
    """A kept connection was closed as the request left; nothing came back.

    The provider closed it before reading, so the same backend may be asked again.
    """


class Response:
    """Status, headers (lower-case) and a body that is read under the call's limits."""

    def __init__(
        self,
        connection: Connection,
        limits: Limits,
        ends: float,
        deadline: Deadline,
        deadlines: Deadlines,
    ) -> None:
        self.status = connection.status
        self.headers = connection.headers
        self._connection = connection
        self._decoder = decoder_of(self.headers.get("content-encoding", ""))
        self._gap = limits.gap
        self._max_bytes = limits.max_bytes
        self._deadline = deadline
        self._deadlines = deadlines
        self._received = 0
        self._loop = asyncio.get_running_loop()
        self._ends = ends

    async def piece(self) -> bytes:
        """What arrived next; empty at the end. Raises on silence, excess and cuts."""
        self._deadline.at = min(self._loop.time() + self._gap, self._ends)
        piece = await self._next()
        self._received += len(piece)
        if self._received > self._max_bytes:
            raise UpstreamIncomplete(
                "The provider's answer is larger than the policy allows.",
                code="answer_too_large",
            )
        return piece

    async def _next(self) -> bytes:
        if self._decoder is None:
            return await self._connection.piece()
        while not (piece := self._decoder.read()):
            packed = await self._connection.piece()
            if not packed:
                self._decoder.end()
                return b""
            self._decoder.feed(packed)
        return piece

    async def read(self, limit: int | None = None) -> bytes:
        """The rest of the body, or not much more than `limit` bytes of it."""
        pieces = []
        while piece := await self.piece():
            pieces.append(piece)
            if limit is not None and self._received >= limit:
                break
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def finish(self) -> None:
        """Read to the end what should be over, so that the connection can be kept."""
        self._deadline.at = inf  # the answer is there; this is about tidiness
        try:
            with self._deadlines.within(FINISH_SECONDS):
                while await self._connection.piece():
                    pass
        except (OSError, ProtocolError):
            return


class HttpClient:
    """Connections of one process; open in its event loop, close at the end."""

    def __init__(
        self,
        *,
        allow_private: bool,
        look_up: LookUp = look_up,
    ) -> None:
        self.deadlines = Deadlines()
        self.connections = Connections(allow_private=allow_private, look_up=look_up)
        self.side = httpx.AsyncClient(
            transport=AiohttpTransport(client=self._side_session()),
            follow_redirects=False,
            trust_env=False,
        )

    async def close(self) -> None:
        self.connections.close()
        await self.side.aclose()

    @asynccontextmanager
    async def post(
        self, call: Call, limits: Limits, *, fresh: bool = False
    ) -> AsyncIterator[Response]:
        """Send and yield the response; every failure is an UpstreamError.

        `fresh` opens a new connection instead of a kept one.
        """
        target, request = written(call)
        connection = None if fresh else self.connections.take(target.origin)
        reused = connection is not None
        response: Response | None = None
        try:
            with self.deadlines.within(limits.connect) as deadline:
                if connection is None:
                    connection = await self.connections.open(target.origin)
                ends = asyncio.get_running_loop().time() + limits.total
                # A whole answer may come at once, all its time after its request.
                deadline.extend(min(limits.first_byte, limits.total))
                call.sent = True
                connection.send(request)
                await connection.answered()
                response = Response(connection, limits, ends, deadline, self.deadlines)
                yield response
        except (OSError, ProtocolError) as error:
            if connection is None:
                raise failure_to_connect(error) from error
            if response is None:
                raise failure_to_answer(error, reused) from error
            raise failure_of_body(error) from error
        finally:
            if connection is not None:
                if connection.free():
                    self.connections.keep(target.origin, connection)
                else:
                    connection.close()

    def _side_session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=0,  # admission control bounds the calls, not the pool
            keepalive_timeout=KEEPALIVE_SECONDS,
            socket_factory=self.connections.socket_factory,
            ttl_dns_cache=int(DNS_SECONDS),
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=True,
            trust_env=False,
        )


def written(call: Call) -> tuple[Target, bytes]:
    """The request as bytes, and where it goes."""
    try:
        target = target_of(call.url)
    except ValueError as error:
        raise UpstreamUnavailable("The provider's address can't be used.") from error
    lines = [f"{name}: {value}\r\n" for name, value in call.headers.items()]
    lines.append(f"content-length: {len(call.body)}\r\n")
    headers = "".join(lines)
    if headers.count("\n") != len(lines) or headers.count("\r") != len(lines):
        raise UpstreamUnavailable("A header for the provider holds a line break.")
    try:
        head = f"{target.head}{OWN_HEADERS}{headers}\r\n".encode("latin-1")
    except UnicodeEncodeError as error:
        raise UpstreamUnavailable("A header for the provider can't be sent.") from error
    return target, head + call.body


def failure_to_connect(error: Exception) -> UpstreamError:
    """Nothing was sent."""
    match error:
        case ForbiddenAddress():
            return UpstreamUnavailable(str(error), code="forbidden_address")
        case ssl.SSLError():
            return BadUpstreamCertificate(
                "The provider's TLS certificate was not accepted.", code="upstream_tls"
            )
        case _:
            return UpstreamUnavailable("The provider could not be reached.")


def failure_to_answer(error: Exception, reused: bool) -> UpstreamError:
    """The request was sent; it may have been processed, and may be billed."""
    match error:
        case TimeoutError():
            return UpstreamTimeout("The provider did not answer in time.")
        case OSError() if reused:
            return ConnectionLost("The provider closed the connection.")
        case OSError():
            return NoAnswer("The provider closed the connection without an answer.")
        case _:
            return BadUpstreamResponse("The provider's answer is not valid HTTP.")


def failure_of_body(error: Exception) -> UpstreamError:
    match error:
        case TimeoutError():
            return StalledAnswer("The provider stopped in the middle of its answer.")
        case BadEncoding():
            return BadUpstreamResponse("The provider's answer can't be decompressed.")
        case _:
            return UpstreamIncomplete("The provider's answer ended too early.")


class BadUpstreamCertificate(UpstreamUnavailable):
    status = 502


class NoAnswer(UpstreamIncomplete):
    """The connection ended after the request was sent: it may have been processed."""

    failover = False
    should_retry = False


class StalledAnswer(UpstreamTimeout):
    """Part of the answer came, then silence."""
