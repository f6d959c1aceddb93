"""The ASGI application: API requests go down the lean path, the rest to Django."""

from collections.abc import Callable
from typing import Any

import structlog

from gateway.api import render
from gateway.api.reply import Reply, error_reply
from gateway.asgi import guard
from gateway.asgi.context import RUNTIME, Context
from gateway.asgi.guard import ClientGone, Receive, Scope, Send
from gateway.asgi.lean import LeanHandler
from gateway.asgi.lifespan import Lifespan
from gateway.asgi.routes import dialect_of, is_api
from gateway.asgi.sending import send_reply
from gateway.errors import GatewayError, InternalError
from gateway.request_ids import RequestIds

log = structlog.get_logger("api")


class Application:
    """One per process. `lifespan` opens and closes the runtime."""

    def __init__(self, django: Callable[..., Any], lifespan: Lifespan) -> None:
        self.django = django
        self.lifespan = lifespan
        self.lean = LeanHandler()
        self.ids = RequestIds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.lifespan(receive, send)
        elif scope["type"] == "http" and is_api(scope["path"]):
            await self.serve_api(scope, receive, send)
        else:
            known = {**scope, RUNTIME: self.lifespan.runtime}
            await self.django(known, receive, send)

    async def serve_api(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Guard, view, response; errors are told in the client's dialect."""
        headers: guard.Headers = dict(scope["headers"])
        context = Context(
            runtime=self.lifespan.runtime,
            request_id=self.ids.draw(),
            dialect=dialect_of(
                scope["path"], has_version=b"anthropic-version" in headers
            ),
            headers=headers,
        )
        try:
            await self._serve(scope, receive, send, context)
        except ClientGone:
            log.debug("client_gone", request_id=context.request_id)
        except GatewayError as error:
            context.runtime.metrics.rejected.labels(error.code).inc()
            await guard.discard_body(receive)
            await send_reply(refusal(error, context), send, context.runtime.deadlines)
        except Exception:
            log.exception("request_failed", request_id=context.request_id)
            failure = InternalError("The gateway failed; its log has the details.")
            await send_reply(refusal(failure, context), send, context.runtime.deadlines)

    async def _serve(
        self, scope: Scope, receive: Receive, send: Send, context: Context
    ) -> None:
        runtime = context.runtime
        guard.check_headers(scope, context.headers)
        route = guard.check_route(scope)
        context.caller = guard.check_caller(route, context.headers, runtime)
        if scope["method"] != "POST":
            reply = await self.lean.respond(scope, b"", context)
            head = scope["method"] == "HEAD"
            return await send_reply(reply, send, runtime.deadlines, head=head)

        admission = runtime.admission
        size = guard.check_body_headers(
            route, context.headers, admission.max_body_bytes
        )
        exchange = guard.exchange_of(scope)
        with admission.admit(context.caller, size):
            body = guard.arrived_body(exchange, admission.max_body_bytes)
            if body is None:
                body = await guard.read_body(
                    receive,
                    admission.max_body_bytes,
                    runtime.snapshot.catalog.policy.read_timeout_seconds,
                    runtime.reading,
                )
            try:
                with guard.UntilClientLeaves(exchange, receive):
                    reply = await self.lean.respond(scope, body, context)
                    if exchange and exchange.may_write and reply.pieces is None:
                        exchange.answer(reply.status, reply.headers, reply.body)
                    else:
                        await send_reply(reply, send, runtime.deadlines)
            finally:
                context.end()


def refusal(error: GatewayError, context: Context) -> Reply:
    """For errors before the view; the connection is closed with its unread body."""
    reply = error_reply(error, context.dialect, context.request_id)
    reply.headers += render.request_headers(context.request_id)
    reply.headers.append(("connection", "close"))
    return reply
