"""Django's request handling without its per-request thread and stock middleware.

The stock handler makes a thread per request, sends signals through it, and spools the
body to disk; none of it is needed where no ORM query is made. What is left of it here:
`ASGIRequest`, the URL resolver and the view.
"""

import asyncio
from io import BytesIO

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch, get_resolver

from gateway.asgi.guard import ClientGone, Scope, Send
from gateway.asgi.routes import ROUTES

URLCONF = "gateway.api.urls"
WRITE_SECONDS = 30.0  # a client that takes nothing for so long is gone


class LeanHandler:
    """Resolves and calls a view; no middleware, no signals, no threads."""

    def __init__(self) -> None:
        self._resolver = get_resolver(URLCONF)
        self._fixed: dict[str, ResolverMatch] = {}

    async def respond(
        self, scope: Scope, body: bytes, context: object
    ) -> HttpResponseBase:
        """The view's response; `context` becomes `request.gateway`.

        The guard has checked the address, and the views turn every error of theirs
        into a response.
        """
        request = ASGIRequest(scope, BytesIO())
        request._body = body
        request.gateway = context  # type: ignore[attr-defined]
        request.resolver_match = match = self._match(request.path_info)
        response: HttpResponseBase = await match.func(
            request, *match.args, **match.kwargs
        )
        return response

    def _match(self, path: str) -> ResolverMatch:
        """As Django resolves it, but each address without parameters once."""
        if match := self._fixed.get(path):
            return match
        match = self._resolver.resolve(path)
        if path in ROUTES:
            self._fixed[path] = match
        return match


async def send_response(
    response: HttpResponseBase, send: Send, *, head: bool = False
) -> None:
    """Send a whole or a streamed response; a stalled client raises ClientGone."""
    headers = [
        (name.encode("ascii"), value.encode("latin-1"))
        for name, value in response.items()
    ]
    start = {"type": "http.response.start", "status": response.status_code}
    if isinstance(response, HttpResponse):
        content = response.content
        headers.append((b"content-length", str(len(content)).encode()))
        await send({**start, "headers": headers})
        # Both are written at once, so no slow reader can hold us up here.
        body = b"" if head else content
        await send({"type": "http.response.body", "body": body})
        return
    if not isinstance(response, StreamingHttpResponse):
        raise TypeError(f"Can't send {type(response).__name__}.")
    await send({**start, "headers": headers})
    async for piece in response:
        await send_piece(send, piece, more=True)
    await send_piece(send, b"", more=False)


async def send_piece(send: Send, piece: bytes, *, more: bool) -> None:
    try:
        async with asyncio.timeout(WRITE_SECONDS):
            await send({"type": "http.response.body", "body": piece, "more_body": more})
    except TimeoutError:
        raise ClientGone from None
