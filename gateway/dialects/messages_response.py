"""OpenAI's whole completion as Anthropic's message."""

from collections.abc import Mapping
from typing import Any

from gateway.dialects.messages_builder import to_input
from gateway.errors import BadUpstreamResponse
from routing.chat import Json, Usage

STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}
STOPPED_BY = ("stop_reason", "matched_stop")  # vLLM's name for it and SGLang's
REASONING = ("reasoning_content", "reasoning")  # vendors' names for thoughts in text


def to_message(
    completion: Json, usage: Usage, *, thoughts: bool, names: Mapping[str, str]
) -> Json:
    """`thoughts` tells that the client asked for thinking, and so expects blocks of
    it; `names` gives tools back the names they had before they were shortened.

    Raises BadUpstreamResponse when it is no finished completion.
    """
    try:
        choice = completion["choices"][0]
        message = choice["message"]
        content = to_content(message, thoughts=thoughts, names=names)
        reason = stop_reason(
            choice["finish_reason"],
            calls_tools=bool(message.get("tool_calls")),
            refuses=bool(message.get("refusal")),
        )
        return envelope(completion) | {
            "content": content,
            **ending(reason, stopped_by(choice)),
            "usage": to_usage(usage),
        }
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise BadUpstreamResponse("The provider's completion is malformed.") from error


def envelope(head: Json) -> Json:
    """A message's fields around its content, from a completion's or a chunk's."""
    identity = str(head.get("id") or "")
    return {
        "id": identity if identity.startswith("msg_") else f"msg_{identity}",
        "type": "message",
        "role": "assistant",
        "model": head.get("model") or "",
    }


def to_content(
    message: Json, *, thoughts: bool, names: Mapping[str, str]
) -> list[Json]:
    """Thoughts, then text, then tools, as Anthropic's models order them.

    A thought has no signature: it is none of Anthropic's, and never goes there.
    """
    blocks: list[Json] = []
    reasoning = first_text(message, REASONING)
    if reasoning and thoughts:
        blocks.append({"type": "thinking", "thinking": reasoning, "signature": ""})
    text = (message.get("content") or "") + (message.get("refusal") or "")
    if text:
        blocks.append({"type": "text", "text": text})
    for place, call in enumerate(message.get("tool_calls") or ()):
        function = call["function"]
        blocks.append(
            {
                "type": "tool_use",
                "id": call.get("id") or f"toolu_{place}",
                "name": names.get(function["name"], function["name"]),
                "input": to_input(function.get("arguments") or ""),
            }
        )
    return blocks


def first_text(piece: Json, fields: tuple[str, ...]) -> str:
    """The first of these fields that holds text: vendors may send one twice."""
    texts = (piece.get(field) for field in fields)
    return next((text for text in texts if isinstance(text, str) and text), "")


def stop_reason(finish_reason: Any, *, calls_tools: bool, refuses: bool) -> str:
    """Anthropic's word for it; one that is new to us is passed on."""
    if not isinstance(finish_reason, str):
        raise TypeError("a finished completion says why it ended")
    if calls_tools and finish_reason == "stop":  # what some vendors say beside calls
        return "tool_use"
    if refuses and finish_reason == "stop":
        return "refusal"
    return STOP_REASONS.get(finish_reason, finish_reason)


def stopped_by(choice: Json) -> str:
    """The stop sequence that was hit, where a vendor tells it; OpenAI doesn't."""
    return first_text(choice, STOPPED_BY)


def ending(reason: str, sequence: str) -> Json:
    """A message's two fields about its end."""
    if reason == "end_turn" and sequence:
        return {"stop_reason": "stop_sequence", "stop_sequence": sequence}
    return {"stop_reason": reason, "stop_sequence": None}


def to_usage(usage: Usage) -> Json:
    """Anthropic's input tokens are those neither read from nor written to a cache."""
    return {
        "input_tokens": max(0, usage.prompt - usage.cached - usage.cache_write),
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cached,
        "output_tokens": usage.completion,
        "output_tokens_details": {"thinking_tokens": usage.reasoning},
    }
