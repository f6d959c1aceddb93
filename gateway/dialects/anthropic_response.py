"""Anthropic's whole message as OpenAI's completion."""

from typing import Any

import orjson

from gateway.dialects.anthropic_usage import to_usage
from gateway.errors import BadUpstreamResponse
from routing.chat import Json

FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "pause_turn": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
# Kept whole beside their text: only with their signatures can they be sent back.
THOUGHTS = frozenset({"thinking", "redacted_thinking"})


def to_completion(message: Json, created: int = 0) -> Json:
    """`created` is a time in seconds, which Anthropic's messages don't tell.

    Raises BadUpstreamResponse when it is no finished message.
    """
    try:
        return completion_of(message, created)
    except (AttributeError, KeyError, TypeError) as error:
        raise BadUpstreamResponse("The provider's message is malformed.") from error


def completion_of(message: Json, created: int) -> Json:
    answer = to_message(message["content"])
    if explanation := (message.get("stop_details") or {}).get("explanation"):
        answer["refusal"] = explanation
    choice = {
        "index": 0,
        "message": answer,
        "logprobs": None,
        "finish_reason": finish_reason(
            message["stop_reason"], calls_tools="tool_calls" in answer
        ),
    }
    completion: Json = {
        "id": message["id"],
        "object": "chat.completion",
        "created": created,
        "model": message["model"],
        "choices": [choice],
    }
    if usage := to_usage(message.get("usage")):
        completion["usage"] = usage
    return completion


def finish_reason(stop_reason: Any, *, calls_tools: bool) -> str:
    """OpenAI's word for it; one that is new to us is passed on."""
    if not isinstance(stop_reason, str):
        raise TypeError("a finished message says why it stopped")
    reason = FINISH_REASONS.get(stop_reason, stop_reason)
    return "tool_calls" if reason == "stop" and calls_tools else reason


def to_message(blocks: list[Json]) -> Json:
    """Texts in one, tool uses as calls; thoughts as reasoning_content and, for the way
    back, as thinking_blocks, both of which are vendors' extensions.

    Other blocks belong to tools of Anthropic's own, which are never asked for.
    """
    texts = [block["text"] for block in blocks if block["type"] == "text"]
    thoughts = [block["thinking"] for block in blocks if block["type"] == "thinking"]
    calls = [to_call(block) for block in blocks if block["type"] == "tool_use"]
    message: Json = {
        "role": "assistant",
        "content": "".join(texts) if texts or not calls else None,
        "refusal": None,
    }
    if thoughts:
        message["reasoning_content"] = "".join(thoughts)
    if signed := [block for block in blocks if block["type"] in THOUGHTS]:
        message["thinking_blocks"] = signed
    if calls:
        message["tool_calls"] = calls
    return message


def to_call(block: Json) -> Json:
    arguments = orjson.dumps(block["input"]).decode()
    return {
        "id": block["id"],
        "type": "function",
        "function": {"name": block["name"], "arguments": arguments},
    }
