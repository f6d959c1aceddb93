"""The one thing all API views share: an async dispatch that renders errors."""

from collections.abc import Awaitable, Callable
from typing import ClassVar

import orjson
import structlog
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.views import APIView

from gateway.api import render
from gateway.asgi.context import Context
from gateway.errors import GatewayError, InternalError
from gateway.ledger.books import RequestRecord
from routing.chat import Json

log = structlog.get_logger("api")
Handler = Callable[..., Awaitable[HttpResponseBase]]


class GatewayView(APIView):
    """Goes straight to the handler: the guard has authenticated, and negotiation,
    parser and renderer machinery would cost more than the view."""

    gateway: Context
    record: RequestRecord | None = None
    http_method_names: ClassVar[list[str]] = ["get", "post", "head"]  # type: ignore[misc]

    async def dispatch(  # type: ignore[override]
        self, request: "GatewayRequest", *args: object, **kwargs: object
    ) -> HttpResponseBase:
        self.gateway = request.gateway
        method = "get" if request.method == "HEAD" else str(request.method).lower()
        handler: Handler = getattr(self, method)
        try:
            response = await handler(request, *args, **kwargs)
        except GatewayError as error:
            response = self.error(error)
        except Exception:
            log.exception("view_failed", request_id=self.gateway.request_id)
            response = self.error(
                InternalError("The gateway failed; its log has the details.")
            )
        for name, value in render.request_headers(self.gateway.request_id):
            response[name] = value
        if self.record is not None:
            for name, value in render.routing_headers(self.record):
                response[name] = value
        return response

    def error(self, error: GatewayError) -> HttpResponse:
        context = self.gateway
        body = render.error_body(error, context.dialect, context.request_id)
        response = HttpResponse(body, status=error.status)
        for name, value in render.error_headers(error):
            response[name] = value
        return response


class GatewayRequest:
    """What the views read of the request the lean handler made."""

    method: str
    body: bytes
    gateway: Context


def json_response(value: Json | list[Json], status: int = 200) -> HttpResponse:
    return HttpResponse(
        orjson.dumps(value), status=status, content_type="application/json"
    )
