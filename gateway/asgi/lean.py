"""Django's request handling without its per-request thread and stock middleware.

The stock handler makes a thread per request, sends signals through it, and spools the
body to disk; none of it is needed where no ORM query is made. What is left of it here:
the URL resolver and the view.
"""

import asyncio

from django.conf import settings
from django.urls import ResolverMatch, get_resolver

from gateway.api.base import GatewayRequest, GatewayView
from gateway.api.reply import Reply
from gateway.asgi.context import Context
from gateway.asgi.guard import ClientGone, Scope, Send
from gateway.asgi.routes import ROUTES

WRITE_SECONDS = 30.0  # a client that takes nothing for so long is gone


class LeanHandler:
    """Resolves and calls a view; no middleware, no signals, no threads."""

    def __init__(self) -> None:
        self._resolver = get_resolver(settings.API_URLCONF)
        self._fixed: dict[str, ResolverMatch] = {}

    async def respond(self, scope: Scope, body: bytes, context: Context) -> Reply:
        """The view's answer; `context` becomes `request.gateway`.

        The guard has checked the address, and the views turn every error of theirs
        into a response.
        """
        path = scope["path"]
        request = GatewayRequest(
            scope["method"], path, body, context, scope["query_string"]
        )
        match = self._match(path)
        # Straight to the class: the function `as_view` made of it only serves to wrap
        # it for middleware, of which there is none.
        view_class: type[GatewayView] = match.func.cls  # type: ignore[attr-defined]
        view = view_class()
        return await view.dispatch(request, *match.args, **match.kwargs)

    def _match(self, path: str) -> ResolverMatch:
        """As Django resolves it, but each address without parameters once."""
        if match := self._fixed.get(path):
            return match
        match = self._resolver.resolve(path)
        if path in ROUTES:
            self._fixed[path] = match
        return match


async def send_reply(reply: Reply, send: Send, *, head: bool = False) -> None:
    """Send a whole or a streamed answer; a stalled client raises ClientGone."""
    headers = [
        (name.encode("ascii"), value.encode("latin-1")) for name, value in reply.headers
    ]
    start = {"type": "http.response.start", "status": reply.status, "headers": headers}
    if reply.pieces is None:
        headers.append((b"content-length", b"%d" % len(reply.body)))
        await send(start)
        # Both are written at once, so no slow reader can hold us up here.
        body = b"" if head else reply.body
        await send({"type": "http.response.body", "body": body})
        return
    await send(start)
    async for piece in reply.pieces:
        await send_piece(send, piece, more=True)
    await send_piece(send, b"", more=False)


async def send_piece(send: Send, piece: bytes, *, more: bool) -> None:
    try:
        async with asyncio.timeout(WRITE_SECONDS):
            await send({"type": "http.response.body", "body": piece, "more_body": more})
    except TimeoutError:
        raise ClientGone from None
