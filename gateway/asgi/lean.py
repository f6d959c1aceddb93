"""Django's request handling without its per-request thread and stock middleware.

The stock handler makes a thread per request, sends signals through it, and spools the
body to disk; none of it is needed where no ORM query is made. What is left of it here:
`ASGIRequest`, the URL resolver and the view.
"""

import asyncio
from io import BytesIO

from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch

from gateway.asgi.guard import ClientGone, Scope, Send
from gateway.asgi.routes import ROUTES

URLCONF = "gateway.api.urls"
WRITE_SECONDS = 30.0  # a client that takes nothing for so long is gone


class LeanHandler(ASGIHandler):
    """Resolves and calls a view; no middleware, no signals, no threads."""

    def __init__(self) -> None:
        # Not super().__init__(): it loads the admin's middleware.
        self._view_middleware: list[object] = []
        self._template_response_middleware: list[object] = []
        self._exception_middleware: list[object] = []
        self._matches: dict[str, ResolverMatch] = {}

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        """As Django does, but each fixed address once."""
        match = self._matches.get(request.path_info)
        if match is None:
            match = super().resolve_request(request)
            if request.path_info in ROUTES:
                self._matches[request.path_info] = match
        request.resolver_match = match
        return match

    async def respond(
        self, scope: Scope, body: bytes, context: object
    ) -> HttpResponseBase:
        """The view's response; `context` becomes `request.gateway`."""
        request = ASGIRequest(scope, BytesIO())
        request._body = body
        request.urlconf = URLCONF
        request.gateway = context  # type: ignore[attr-defined]
        response: HttpResponseBase = await self._get_response_async(request)  # type: ignore[attr-defined]
        return response


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
