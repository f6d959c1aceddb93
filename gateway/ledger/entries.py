"""What the journal's lines say of an attempt and of a request."""

from typing import TYPE_CHECKING

from routing.catalog import Backend, PriceList
from routing.chat import Json, Usage
from routing.pricing import cost_nano

if TYPE_CHECKING:
    from gateway.ledger.books import Attempt, RequestRecord


def intent(
    record: "RequestRecord", backend: Backend, number: int, prompt_tokens: int
) -> Json:
    """Of the request's call `number`: what it is expected to cost."""
    price = backend.price
    expected = Usage(prompt=prompt_tokens, estimated=True)
    return {
        "t": "intent",
        "attempt_id": f"{record.chat.request_id}-{number}",
        "number": number,
        **asked(record),
        "score": record.score,
        "backend": backend.name,
        "provider": backend.provider,
        "model": backend.model,
        "tier": backend.tier,
        "price": price_charged(price, expected),
        "prompt_tokens": prompt_tokens,
        "cost_nano": cost_nano(expected, price) if price else 0,
    }


def settlement(
    attempt: "Attempt", state: str, usage: Usage, status: int | None, error_code: str
) -> Json:
    return {
        **attempt.intent,
        "t": "attempt",
        "price": price_charged(attempt.backend.price, usage),
        "state": state,
        "status": status,
        "error_code": error_code,
        "prompt_tokens": usage.prompt if state != "free" else 0,
        "completion_tokens": usage.completion,
        "cached_tokens": usage.cached,
        "cache_write_tokens": usage.cache_write,
        "cache_write_1h_tokens": usage.cache_write_1h,
        "reasoning_tokens": usage.reasoning,
        "cost_nano": attempt.cost_nano,
        "latency_ms": milliseconds(attempt.seconds),
        "first_byte_ms": milliseconds(attempt.first_byte),
        "late": attempt.record.closed,
    }


def request(
    record: "RequestRecord", seconds: float, status: int, outcome: str, error_code: str
) -> Json:
    """Of its end, `seconds` after its arrival."""
    usage = record.usage
    return {
        "t": "request",
        "at": record.at,
        **asked(record),
        "status": status,
        "outcome": outcome,
        "error_code": error_code,
        "cache": record.cache,
        "cache_level": record.cache_level,
        "answered_by": record.answered_by,
        "score": record.score,
        "tier": record.tier,
        "backend": record.backend,
        "model_served": record.model_served,
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "cached_tokens": usage.cached,
        "reasoning_tokens": usage.reasoning,
        "estimated": usage.estimated,
        "cost_nano": record.cost_nano,
        "saved_nano": record.saved_nano,
        "latency_ms": milliseconds(seconds),
        "first_byte_ms": milliseconds(record.first_byte),
        "overhead_ms": round(record.overhead_ms, 3),
        "attempts": record.attempts,
        **told(record, status),
    }


def asked(record: "RequestRecord") -> Json:
    """Who asked for what: the same for a request and for each of its attempts."""
    chat, caller = record.chat, record.caller
    return {
        "request_id": chat.request_id,
        "scope": caller.scope,
        "key_id": caller.key_id,
        "key_name": caller.key_name,
        "team": caller.team,
        "endpoint": record.endpoint,
        "dialect": chat.dialect,
        "stream": chat.stream,
        "model_asked": chat.model,
    }


def told(record: "RequestRecord", status: int) -> Json:
    """What is kept of it to explain it, and to learn from."""
    quiet = record.quiet
    kept: Json = {
        "tags": () if quiet else record.chat.tags,
        "arm": record.arm,
        "unaccepted": False,  # nobody can have said so yet
        "asks_again": record.asks_again,
        "decisions": [] if quiet else record.decisions,
        "facts": record.facts,
        "lesson": None if quiet else lesson(record, status),
        "doubted": record.doubted,
    }
    if (placed := record.placed) is not None:
        kept["placed"] = [placed.basis, placed.tenth, placed.top]
    if record.transcript is not None:
        kept["contents"] = record.transcript.to_json(record.chat.body)
    return kept


def lesson(record: "RequestRecord", status: int) -> Json | None:
    """Only an answer of the tier that was chosen tells what that choice was worth."""
    found = record.lesson
    learnt = found is not None and status == 200 and found["tier"] == record.tier
    return found if learnt else None


def price_charged(price: PriceList | None, usage: Usage) -> Json | None:
    """The price that a call of these tokens is charged by."""
    if price is None:
        return None
    price = price.of(usage.prompt)
    return {
        "input": price.input,
        "output": price.output,
        "cache_read": price.cache_read,
        "cache_write": price.cache_write,
        "cache_write_1h": price.cache_write_1h,
    }


def milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)
