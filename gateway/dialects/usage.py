"""Tokens as a provider reported them, in OpenAI's form, or as they are guessed."""

from collections.abc import Iterator
from typing import Any

from gateway.errors import BadUpstreamResponse
from routing.chat import Json, Usage
from routing.features import weigh

# A word of ours: OpenAI has none for it.
CACHED_FOR_AN_HOUR = "cache_write_1h_tokens"
MAX_TOKENS = 1_000_000_000  # a provider that says more is mistaken


def usage_of(body: Json) -> Usage | None:
    """The usage in a completion or chunk; None when absent or no count of tokens.

    An explicit 0 stays 0. In a stream the last one that isn't None counts: providers
    that repeat usage send running totals, which are never summed.
    """
    usage = body.get("usage")
    if not isinstance(usage, dict):
        return None
    prompt = count(usage, "prompt_tokens")
    completion = count(usage, "completion_tokens")
    if prompt is None or completion is None:
        return None
    read = count(usage.get("prompt_tokens_details"), "cached_tokens")
    written = count(usage.get("prompt_tokens_details"), "cache_write_tokens")
    for_an_hour = count(usage.get("prompt_tokens_details"), CACHED_FOR_AN_HOUR)
    reasoning = count(usage.get("completion_tokens_details"), "reasoning_tokens")
    cached = min(read or 0, prompt)
    written = min(written or 0, prompt - cached)
    return Usage(
        prompt=prompt,
        completion=completion,
        cached=cached,
        cache_write=written,
        reasoning=min(reasoning or 0, completion),
        cache_write_1h=min(for_an_hour or 0, written),
    )


def count(usage: Any, field: str) -> int | None:
    """A believable number of tokens, or None."""
    value = usage.get(field) if isinstance(usage, dict) else None
    if type(value) is not int or not 0 <= value <= MAX_TOKENS:
        return None
    return value


def strip_usage(chunk: Json) -> Json | None:
    """The chunk for a client that asked for no usage; None when nothing is left.

    Vendors' usage on a chunk with choices goes as well: by the protocol an unasked
    stream has none.
    """
    if "usage" not in chunk:
        return chunk
    if chunk["usage"] and not chunk.get("choices"):
        return None
    return {field: value for field, value in chunk.items() if field != "usage"}


def estimate_usage(prompt_tokens: int, completion: Json) -> Usage:
    """What an answer without usage, or the part of it that came, probably counts."""
    try:
        eighths = sum(weigh(text) for text in texts_of(completion))
    except (AttributeError, KeyError, TypeError) as error:
        raise BadUpstreamResponse("The provider's answer is malformed.") from error
    return Usage(prompt=prompt_tokens, completion=-(-eighths // 8), estimated=True)


def texts_of(completion: Json) -> Iterator[str]:
    """Everything the model wrote: text, reasoning, refusals, calls of tools."""
    for choice in completion["choices"]:
        message = choice["message"]
        functions = [call.get("function") for call in message.get("tool_calls") or ()]
        for written in (message, message.get("function_call"), *functions):
            for field, value in (written or {}).items():
                if field != "role" and isinstance(value, str):
                    yield value
