"""The one place that opens connections: completion calls and side calls alike.

aiohttp carries the completion calls; httpx, over the same guarded connector, serves
whatever is off the request path (probes, the sidecar).
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from gateway.errors import (
    BadUpstreamResponse,
    UpstreamError,
    UpstreamIncomplete,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from gateway.providers.addresses import ForbiddenAddress, guarded_socket

FINISH_SECONDS = 1.0
KEEPALIVE_SECONDS = 15.0  # shorter than providers', so that we close first


@dataclass(frozen=True, slots=True)
class Call:
    """A POST ready to be sent."""

    url: str
    headers: dict[str, str] = field(repr=False)  # one of them is the provider's key
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """The four timers of a call, in seconds, and the bound of its answer."""

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
    """Status, headers and a body that is read under the call's limits."""

    def __init__(
        self, inner: aiohttp.ClientResponse, limits: Limits, timer: asyncio.Timeout
    ) -> None:
        self.status = inner.status
        self.headers = inner.headers
        self._inner = inner
        self._limits = limits
        self._timer = timer
        self._received = 0
        self._loop = asyncio.get_running_loop()
        self._deadline = self._loop.time() + limits.total

    async def piece(self) -> bytes:
        """What arrived next; empty at the end. Raises on silence, excess and cuts."""
        self._rearm()
        piece = await self._inner.content.readany()
        self._received += len(piece)
        if self._received > self._limits.max_bytes:
            raise UpstreamIncomplete(
                "The provider's answer is larger than the policy allows.",
                code="answer_too_large",
            )
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
        try:
            async with asyncio.timeout(FINISH_SECONDS):
                while await self.piece():
                    pass
        except (TimeoutError, aiohttp.ClientError, UpstreamError):
            return

    def _rearm(self) -> None:
        gap_ends = self._loop.time() + self._limits.gap
        self._timer.reschedule(min(gap_ends, self._deadline))


class HttpClient:
    """Sessions of one process; open in its event loop, close at the end."""

    def __init__(self, *, allow_private: bool) -> None:
        self._socket_factory = partial(guarded_socket, allow_private=allow_private)
        watch = [_watch_connection()]
        self._session = self._new_session(watch)
        self._fresh_session = self._new_session(watch, force_close=True)
        self.side = httpx.AsyncClient(
            transport=AiohttpTransport(client=self._new_session()),
            follow_redirects=False,
            trust_env=False,
        )

    async def close(self) -> None:
        await self.side.aclose()
        await self._session.close()
        await self._fresh_session.close()

    @asynccontextmanager
    async def post(
        self, call: Call, limits: Limits, *, fresh: bool = False
    ) -> AsyncIterator[Response]:
        """Send and yield the response; every failure is an UpstreamError.

        `fresh` opens a new connection instead of a kept one.
        """
        session = self._fresh_session if fresh else self._session
        seen = SimpleNamespace(reused=False)
        response: Response | None = None
        try:
            async with (
                asyncio.timeout(limits.connect + limits.first_byte) as timer,
                session.post(
                    call.url,
                    data=call.body,
                    headers=call.headers,
                    allow_redirects=False,
                    # Name resolution included: what our timer ends was sent.
                    timeout=aiohttp.ClientTimeout(connect=limits.connect),
                    trace_request_ctx=seen,
                ) as inner,
            ):
                response = Response(inner, limits, timer)
                yield response
        except UpstreamError:
            raise
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise failure(error, response, seen) from error

    def _new_session(
        self, watch: Sequence[aiohttp.TraceConfig] = (), *, force_close: bool = False
    ) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=0,  # admission control bounds the calls, not the pool
            force_close=force_close,
            keepalive_timeout=None if force_close else KEEPALIVE_SECONDS,
            socket_factory=self._socket_factory,
            ttl_dns_cache=10,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=True,
            trust_env=False,
            timeout=aiohttp.ClientTimeout(total=None),
            trace_configs=list(watch),
            read_bufsize=1 << 18,
        )


def _watch_connection() -> aiohttp.TraceConfig:
    """Notes on the call's context whether its connection was a kept one."""

    async def reused(
        session: aiohttp.ClientSession,
        context: SimpleNamespace,
        params: aiohttp.TraceConnectionReuseconnParams,
    ) -> None:
        context.trace_request_ctx.reused = True

    trace = aiohttp.TraceConfig()
    trace.on_connection_reuseconn.append(reused)
    return trace


def failure(
    error: Exception, response: Response | None, seen: SimpleNamespace
) -> UpstreamError:
    """What a transport error means for the attempt: was it sent, may it be billed?"""
    if response is not None:
        return _failure_of_body(error)
    match error:
        case aiohttp.ClientConnectorError(os_error=ForbiddenAddress() as refusal):
            return UpstreamUnavailable(str(refusal), code="forbidden_address")
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            return BadUpstreamCertificate(
                "The provider's TLS certificate was not accepted.", code="upstream_tls"
            )
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
            return UpstreamUnavailable("The provider could not be reached.")
        case TimeoutError():
            return UpstreamTimeout("The provider did not answer in time.")
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientOSError() if seen.reused:
            return ConnectionLost("The provider closed the connection.")
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientOSError():
            return NoAnswer("The provider closed the connection without an answer.")
        case aiohttp.ClientResponseError():
            return BadUpstreamResponse("The provider's answer is not valid HTTP.")
        case _:
            return UpstreamUnavailable("The provider's address can't be used.")


def _failure_of_body(error: Exception) -> UpstreamError:
    if isinstance(error, TimeoutError):
        return StalledAnswer("The provider stopped in the middle of its answer.")
    if "encoding" in str(error).lower():
        return BadUpstreamResponse("The provider's answer can't be decompressed.")
    return UpstreamIncomplete("The provider's answer ended too early.")


class BadUpstreamCertificate(UpstreamUnavailable):
    status = 502


class NoAnswer(UpstreamIncomplete):
    """The connection ended after the request was sent: it may have been processed."""

    failover = False
    should_retry = False


class StalledAnswer(UpstreamTimeout):
    """Part of the answer came, then silence."""
