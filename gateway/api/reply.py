"""What a view answers: status, headers, and a body or its pieces.

Django's HttpResponse takes a fifth of a cached answer's time to set a dozen headers
that nothing reads again, so the lean path does without it.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import orjson

from gateway.api import render
from gateway.api.render import Header
from gateway.errors import GatewayError
from routing.chat import Json


@dataclass(frozen=True, slots=True)
class KeptAlive:
    """Pieces of a stream, and what is sent when none came for `seconds`."""

    pieces: AsyncIterator[bytes]
    seconds: float
    sign_of_life: bytes = render.KEEP_ALIVE


@dataclass(slots=True)
class Reply:
    """`pieces`, when given, are sent as they come, and `body` is not."""

    body: bytes = b""
    status: int = 200
    headers: list[Header] = field(default_factory=lambda: [render.JSON])
    pieces: KeptAlive | None = None


def json_reply(value: Json | list[Json], status: int = 200) -> Reply:
    return Reply(orjson.dumps(value), status)


def error_reply(error: GatewayError, dialect: str, request_id: str) -> Reply:
    return Reply(
        render.error_body(error, dialect, request_id),
        render.status_of(error, dialect),
        list(render.error_headers(error)),
    )
