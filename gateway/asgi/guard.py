"""Checks of a request before its body is read, and the reading itself."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from types import TracebackType
from typing import Any

from gateway.api.authentication import Headers, authenticate
from gateway.asgi.exchange import EXCHANGE, Exchange
from gateway.asgi.routes import Route, find, meant_by
from gateway.deadlines import Deadlines
from gateway.errors import (
    BadRequest,
    MethodNotAllowed,
    RequestTimeout,
    RequestTooLarge,
    ShuttingDown,
    UnknownAddress,
    UnsupportedMediaType,
)
from gateway.ledger.books import Caller
from gateway.runtime.runtime import Runtime

DISCARD_SECONDS = 0.5
DISCARD_MESSAGES = 256
NOTHING: dict[str, Any] = {}
SINGLE = (b"host", b"authorization", b"x-api-key", b"content-type")
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class ClientGone(Exception):
    """The client hung up before its request was complete."""


def exchange_of(scope: Scope) -> Exchange | None:
    """What our own server offers."""
    offered: Exchange | None = scope.get("extensions", NOTHING).get(EXCHANGE)
    return offered


def check_headers(scope: Scope, headers: Headers) -> None:
    """Refuse a header that is there twice where two readers could take either."""
    if len(headers) == len(scope["headers"]):
        return
    counts = Counter(name for name, _ in scope["headers"])
    for name in SINGLE:
        if counts[name] > 1:
            raise BadRequest(f"The header {name.decode()} is there more than once.")


def check_route(scope: Scope) -> Route:
    route = find(scope["path"])
    if route is None:
        raise UnknownAddress(scope["path"], meant_by(scope["path"]))
    if scope["method"] not in route.methods:
        raise MethodNotAllowed(", ".join(sorted(route.methods)))
    return route


def check_caller(route: Route, headers: Headers, runtime: Runtime) -> Caller:
    if route.public:
        return Caller(scope="")
    return authenticate(
        headers,
        runtime.snapshot,
        loopback=runtime.loopback,
        now_wall=runtime.books.wall(),
    )


def check_body_headers(route: Route, headers: Headers, max_bytes: int) -> int:
    """Refuse by what the headers announce; returns the announced or greatest size."""
    if media_type_of(headers) not in route.bodies:
        known = " or ".join(route.bodies)
        raise UnsupportedMediaType(f"Send the body as content-type: {known}.")
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise UnsupportedMediaType("Send the body without compression.")
    announced = headers.get(b"content-length")
    if announced is None:
        return max_bytes
    try:
        size = int(announced)
    except ValueError:
        raise BadRequest("The content-length is not a number.") from None
    if size > max_bytes:
        raise too_large(max_bytes)
    return size


def media_type_of(headers: Headers) -> str:
    value = headers.get(b"content-type", b"").split(b";")[0]
    return value.strip().lower().decode("latin-1")


def arrived_body(exchange: Exchange | None, max_bytes: int) -> bytes | None:
    """The whole body if it is here already, as most are. Raises 413."""
    body = exchange.take_body() if exchange else None
    if body is not None and len(body) > max_bytes:
        raise too_large(max_bytes)
    return body


async def read_body(
    receive: Receive, max_bytes: int, seconds: float, deadlines: Deadlines
) -> bytes:
    """The whole body. Raises 413 past `max_bytes`, 408 past `seconds`, and 503 when
    the gateway stops before that."""
    pieces: list[bytes] = []
    received = 0
    try:
        with deadlines.within(seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGone
                piece = message.get("body", b"")
                received += len(piece)
                if received > max_bytes:
                    raise too_large(max_bytes)
                pieces.append(piece)
                if not message.get("more_body"):
                    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
    except TimeoutError:
        if deadlines.ended:
            raise ShuttingDown(
                "The gateway stopped before the request was complete."
            ) from None
        raise RequestTimeout(
            f"The request body did not arrive within {seconds:g} seconds."
        ) from None


async def discard_body(receive: Receive) -> None:
    """Read a little more, unkept: closing on unread bytes would reset the connection
    before the client has seen why."""
    try:
        async with asyncio.timeout(DISCARD_SECONDS):
            for _ in range(DISCARD_MESSAGES):
                message = await receive()
                if message["type"] == "http.disconnect" or not message.get("more_body"):
                    return
    except TimeoutError:
        return


class UntilClientLeaves:
    """Cancels what is inside when the client hangs up; it then ends as ClientGone.

    Our own server calls back when that happens. Another one's only way to tell is the
    next message, for which a task has to wait.
    """

    __slots__ = ("_receive", "_tell", "_task", "_watch", "_gone")

    def __init__(self, exchange: Exchange | None, receive: Receive) -> None:
        self._receive = receive
        self._tell = exchange.call_when_client_leaves if exchange else None
        self._watch: asyncio.Task[None] | None = None
        self._gone = False

    def __enter__(self) -> None:
        # Naming the loop saves it looking for one.
        self._task = asyncio.current_task(asyncio.get_running_loop())
        if self._tell:
            self._tell(self._leave)
        else:
            self._watch = asyncio.create_task(self._wait())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._tell:
            self._tell(None)
        if self._watch is not None:
            self._watch.cancel()
        if self._gone and isinstance(error, asyncio.CancelledError):
            raise ClientGone from None

    async def _wait(self) -> None:
        # Once the body is read, the only message left is that the client has gone.
        await self._receive()
        self._leave()

    def _leave(self) -> None:
        self._gone = True
        if self._task:
            self._task.cancel()


def too_large(max_bytes: int) -> RequestTooLarge:
    return RequestTooLarge(
        f"The request body may have {max_bytes} bytes at most "
        "(LLM_ROUTER_MAX_BODY_BYTES)."
    )
