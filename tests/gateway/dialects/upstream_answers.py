"""A provider's answers that are errors, and what they mean to us."""

import orjson

from gateway.dialects.upstream_errors import upstream_error
from gateway.errors import UpstreamError
from routing.chat import Json


def answered(status: int, body: Json | bytes = b"", **headers: str) -> UpstreamError:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return upstream_error(status, named, raw, 1_000_000.0)


def openai_body(
    message: str, code: str | None = None, param: str | None = None
) -> Json:
    return {
        "error": {
            "message": message,
            "type": "invalid_request_error",
            "param": param,
            "code": code,
        }
    }


def anthropic_body(kind: str, message: str) -> Json:
    return {"type": "error", "error": {"type": kind, "message": message}}
