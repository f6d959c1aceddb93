"""The one thing all API views share: an async dispatch that renders errors."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import parse_qs

import structlog
from django.db import InterfaceError, OperationalError
from rest_framework.views import APIView

from gateway.api import render
from gateway.api.described import Operation
from gateway.api.reply import Reply, error_reply
from gateway.asgi.context import Context
from gateway.dialects.own_names import in_own_words
from gateway.errors import DatabaseUnavailable, GatewayError, InternalError, NotFound
from gateway.ledger.books import RequestRecord
from gateway.limits.rules import Left

log = structlog.get_logger("api")
Handler = Callable[..., Awaitable[Reply]]


@dataclass(slots=True)
class GatewayRequest:
    """What the views read of a request. Django's own takes a tenth of a cached answer's
    time to collect headers and cookies that no view here looks at."""

    method: str
    path: str
    body: bytes
    gateway: Context
    query_string: bytes = b""

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters; the last one of a name counts."""
        found = parse_qs(self.query_string.decode("latin-1"), keep_blank_values=True)
        return {name: values[-1] for name, values in found.items()}


class GatewayView(APIView):
    """Goes straight to the handler: the guard has authenticated, and negotiation,
    parser and renderer machinery would cost more than the view."""

    describes: ClassVar[Mapping[str, Operation]] = {}  # by method, for the document
    gateway: Context
    record: RequestRecord | None = None
    http_method_names: ClassVar[list[str]] = ["get", "post", "head"]  # type: ignore[misc]

    async def dispatch(  # type: ignore[override]
        self, request: GatewayRequest, *args: object, **kwargs: object
    ) -> Reply:
        self.gateway = request.gateway
        method = "get" if request.method == "HEAD" else request.method.lower()
        handler: Handler = getattr(self, method)
        try:
            # PostgreSQL would refuse the question.
            if any("\x00" in str(value) for value in kwargs.values()):
                raise NotFound("Nothing here has a name with a NUL in it.")
            reply = await handler(request, *args, **kwargs)
        except GatewayError as error:
            reply = self.error(error)
        except (OperationalError, InterfaceError) as error:
            # It comes back by itself: no bug, and many may ask until then.
            log.warning("database_unavailable", reason=str(error))
            reply = self.error(
                DatabaseUnavailable(
                    "The gateway's database can't be used at the moment. Completions "
                    "go on without it; try this again later.",
                    retry_after=5,
                )
            )
        except Exception:
            log.exception("view_failed", request_id=self.gateway.request_id)
            reply = self.error(
                InternalError("The gateway failed; its log has the details.")
            )
        reply.headers += render.request_headers(self.gateway.request_id)
        if self.record is not None:
            reply.headers += render.routing_headers(self.record)
        if limits := self.limits:
            now = self.gateway.runtime.books.wall()
            reply.headers += render.limit_headers(limits, self.gateway.dialect, now)
        return reply

    @property
    def limits(self) -> Mapping[str, Left] | None:
        """What is left of the caller's limits, by kind."""
        return self.record.left if self.record else None

    def error(self, error: GatewayError) -> Reply:
        if self.record is not None:
            error = in_own_words(error, self.record.chat)
        return error_reply(error, self.gateway.dialect, self.gateway.request_id)
