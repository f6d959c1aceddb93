"""Anthropic's usage in OpenAI's form."""

from typing import Any

from gateway.dialects.usage import CACHED_FOR_AN_HOUR, count
from routing.chat import Json


def to_usage(usage: Any) -> Json | None:
    """OpenAI's prompt tokens hold those read from and written to the cache.

    None when the provider didn't count: the caller estimates.
    """
    fresh = count(usage, "input_tokens")
    completion = count(usage, "output_tokens")
    if fresh is None or completion is None:
        return None
    read = count(usage, "cache_read_input_tokens") or 0
    written = count(usage, "cache_creation_input_tokens") or 0
    for_an_hour = count(usage.get("cache_creation"), "ephemeral_1h_input_tokens")
    thinking = count(usage.get("output_tokens_details"), "thinking_tokens") or 0
    prompt = fresh + read + written
    details = {"cached_tokens": read, "cache_write_tokens": written}
    if for_an_hour:
        details[CACHED_FOR_AN_HOUR] = for_an_hour
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": details,
        "completion_tokens_details": {"reasoning_tokens": thinking},
    }


def update_usage(known: Json, usage: Any) -> None:
    """Take each field's newest value that isn't null: they are totals, not parts."""
    if isinstance(usage, dict):
        known.update({k: value for k, value in usage.items() if value is not None})
