"""Bytes and headers of answers and errors, in the client's dialect."""

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import orjson

from gateway.errors import GatewayError, MethodNotAllowed
from gateway.ledger.books import RequestRecord
from gateway.limits.rules import Left
from routing.chat import Json
from routing.pricing import NANO_PER_USD

Header = tuple[str, str]
JSON = ("content-type", "application/json")
EVENT_STREAM = ("content-type", "text/event-stream; charset=utf-8")
DONE = b"data: [DONE]\n\n"
KEEP_ALIVE = b": keep-alive\n\n"
PING = b'event: ping\ndata: {"type":"ping"}\n\n'
ANTHROPIC_OVERLOADED = 529


def error_body(error: GatewayError, dialect: str, request_id: str) -> bytes:
    """OpenAI's or Anthropic's error object (their API references)."""
    if dialect == "anthropic":
        return orjson.dumps({**anthropic_error(error), "request_id": request_id})
    return orjson.dumps({"error": error_object(error)})


def anthropic_error(error: GatewayError) -> Json:
    """Anthropic's errors have no field for the parameter: its name goes first."""
    message = error.message
    if error.param and error.param not in message:
        message = f"{error.param}: {message}"
    details = {"error_code": error.code}
    told = {"type": error.type, "message": message, "details": details}
    return {"type": "error", "error": told}


def status_of(error: GatewayError, dialect: str) -> int:
    """Anthropic has a status of its own for being overloaded."""
    overloaded = dialect == "anthropic" and error.type == "overloaded_error"
    return ANTHROPIC_OVERLOADED if overloaded else error.status


def error_object(error: GatewayError) -> Json:
    return {
        "message": error.message,
        "type": error.type,
        "param": error.param,
        "code": error.code,
    }


def error_headers(error: GatewayError) -> Iterator[Header]:
    yield JSON
    if error.status in (429, 503):
        seconds = 1.0 if error.retry_after is None else error.retry_after
        yield "retry-after", str(max(1, math.ceil(seconds)))
    if isinstance(error, MethodNotAllowed):
        yield "allow", error.allowed
    if error.should_retry is not None:
        yield "x-should-retry", str(error.should_retry).lower()


def request_headers(request_id: str) -> tuple[Header, Header]:
    """OpenAI's name of it and Anthropic's."""
    return ("x-request-id", request_id), ("request-id", request_id)


def routing_headers(record: RequestRecord) -> Iterator[Header]:
    """What is known of the routing by now; a stream's cost is known only at its end."""
    if record.chat.dry_run:
        yield "x-llm-router-dry-run", "1"
    yield "x-llm-router-cache", record.cache
    if record.cache_level:
        yield "x-llm-router-cache-level", record.cache_level
    if record.score is not None:
        yield "x-llm-router-score", str(record.score)
    if record.tier is not None:
        yield "x-llm-router-tier", str(record.tier)
    if record.backend:
        yield "x-llm-router-model", record.backend
    if record.budget_step:
        yield "x-llm-router-budget", record.budget_step
    if record.closed:
        if not record.unpriced:
            yield "x-llm-router-cost", usd(record.cost_nano)
            yield "x-llm-router-saved", usd(record.saved_nano)
        yield "x-llm-router-attempts", str(record.attempts)
    yield "x-llm-router-overhead-ms", f"{record.overhead_ms:.2f}"


def limit_headers(
    limits: Mapping[str, Left], dialect: str, now: float
) -> Iterator[Header]:
    """How much of the key's and its team's limits a minute is left, by the least."""
    for kind, left in limits.items():
        if dialect == "anthropic":
            ends = datetime.fromtimestamp(left.ends, UTC)
            name = f"anthropic-ratelimit-{kind}"
            yield f"{name}-limit", str(left.limit)
            yield f"{name}-remaining", str(left.remaining)
            yield f"{name}-reset", f"{ends:%Y-%m-%dT%H:%M:%SZ}"
        else:
            seconds = max(0, math.ceil(left.ends - now))
            yield f"x-ratelimit-limit-{kind}", str(left.limit)
            yield f"x-ratelimit-remaining-{kind}", str(left.remaining)
            yield f"x-ratelimit-reset-{kind}", f"{seconds}s"


def usd(nano: int) -> str:
    """Dollars with all nine digits, without a float in between."""
    whole, part = divmod(abs(nano), NANO_PER_USD)
    return f"{'-' if nano < 0 else ''}{whole}.{part:09d}"


def event(chunk: Json) -> bytes:
    return b"data: " + orjson.dumps(chunk) + b"\n\n"


def named_event(event: Json) -> bytes:
    """Anthropic's SDK skips events without a name."""
    name = str(event.get("type", "")).encode()
    return b"event: %b\ndata: %b\n\n" % (name, orjson.dumps(event))


def failed_response(error: GatewayError, response: Json, number: int) -> list[Json]:
    """The events a stream of the Responses API ends with; `response` as it was last.

    OpenAI sends both. Its SDK raises at the first alone, in which it looks for `error`;
    the fields beside that are where the reference has them.
    """
    told = {"code": error.code, "message": error.message, "param": error.param}
    named = {"type": error.type, **told}
    events: list[Json] = [
        {"type": "error", **told, "error": named, "sequence_number": number}
    ]
    if response:
        limited = error.type == "rate_limit_error"
        code = "rate_limit_exceeded" if limited else "server_error"  # its two words
        reason = {"code": code, "message": error.message}
        failed = {**response, "status": "failed", "error": reason}
        number += 1
        events.append(
            {"type": "response.failed", "response": failed, "sequence_number": number}
        )
    return events


def error_event(error: GatewayError) -> bytes:
    """An error after the first byte; no `[DONE]` may follow it."""
    return event({"error": error_object(error)})
