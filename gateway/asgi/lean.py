"""Django's request handling without its per-request thread and stock middleware.

The stock handler makes a thread per request, sends signals through it, and spools the
body to disk; none of it is needed where no ORM query is made. What is left of it here:
the URL resolver and the view.
"""

from django.conf import settings
from django.urls import ResolverMatch, get_resolver

from gateway.api.base import GatewayRequest, GatewayView
from gateway.api.reply import Reply
from gateway.asgi.context import Context
from gateway.asgi.guard import Scope
from gateway.asgi.routes import ROUTES


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
