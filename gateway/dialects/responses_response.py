"""A completion as a response of OpenAI's Responses API."""

from typing import Any

from gateway.dialects.messages_response import REASONING, first_text
from gateway.dialects.responses_input import sealed
from gateway.errors import BadUpstreamResponse
from routing.chat import Json, Usage

INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
ECHOED: Json = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "service_tier": "default",
    "temperature": 1.0,
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}


def to_response(completion: Json, usage: Usage, original: Json, now: int) -> Json:
    """Raises BadUpstreamResponse when it is no finished completion."""
    try:
        choice = completion["choices"][0]
        response = skeleton(completion, original, now)
        output = to_output(choice["message"], identity_of(completion), original)
        return ended(response, output, choice["finish_reason"], usage)
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise BadUpstreamResponse("The provider's completion is malformed.") from error


def identity_of(head: Json) -> str:
    return str(head.get("id") or "").removeprefix("resp_")


def skeleton(head: Json, original: Json, now: int) -> Json:
    """A response as it begins; it repeats what was asked, as the API does."""
    asked = {
        field: default if original.get(field) is None else original[field]
        for field, default in ECHOED.items()
    }
    reasoning = original.get("reasoning") or {}
    text = original.get("text") or {}
    created = head.get("created")
    return {
        "id": f"resp_{identity_of(head)}",
        "object": "response",
        "created_at": created if isinstance(created, int) and created else now,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        **asked,
        "model": head.get("model") or "",
        "output": [],
        "previous_response_id": None,
        "reasoning": {
            "effort": reasoning.get("effort"),
            "summary": reasoning.get("summary"),
        },
        "store": False,
        "text": {**text, "format": text.get("format") or {"type": "text"}},
        "usage": None,
    }


def ended(response: Json, output: list[Json], finish_reason: Any, usage: Usage) -> Json:
    """The response once nothing more comes."""
    why = INCOMPLETE.get(finish_reason)
    return {
        **response,
        "status": "incomplete" if why else "completed",
        "incomplete_details": {"reason": why} if why else None,
        "output": output,
        "usage": to_usage(usage),
    }


def to_usage(usage: Usage) -> Json:
    return {
        "input_tokens": usage.prompt,
        "input_tokens_details": {
            "cached_tokens": usage.cached,
            "cache_write_tokens": usage.cache_write,
        },
        "output_tokens": usage.completion,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.prompt + usage.completion,
    }


def to_output(message: Json, identity: str, original: Json) -> list[Json]:
    """Thoughts, then what was said, then calls."""
    output: list[Json] = []
    thoughts = message.get("thinking_blocks") or []
    reasoning = first_text(message, REASONING)
    if reasoning or thoughts:
        place = f"rs_{identity}_{len(output)}"
        output.append(reasoning_item(place, reasoning, thoughts, original))
    parts = []
    if text := message.get("content"):
        parts.append(text_part(text))
    if refusal := message.get("refusal"):
        parts.append({"type": "refusal", "refusal": refusal})
    calls = message.get("tool_calls") or []
    if parts or not calls:
        place = f"msg_{identity}_{len(output)}"
        output.append(message_item(place, "completed", parts))
    for call in calls:
        function = call["function"]
        output.append(
            call_item(
                f"fc_{identity}_{len(output)}",
                "completed",
                call.get("id") or f"call_{len(output)}",
                function["name"],
                function.get("arguments") or "",
            )
        )
    return output


def text_part(text: str) -> Json:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def message_item(id: str, status: str, content: list[Json]) -> Json:
    return {
        "id": id,
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": content,
    }


def call_item(id: str, status: str, call_id: str, name: str, arguments: str) -> Json:
    return {
        "id": id,
        "type": "function_call",
        "status": status,
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
    }


def reasoning_item(id: str, text: str, thoughts: list[Json], original: Json) -> Json:
    """What was thought, and for the way back, when asked for, with its signatures."""
    summary = [{"type": "summary_text", "text": text}] if text else []
    item: Json = {"id": id, "type": "reasoning", "summary": summary}
    wanted = "reasoning.encrypted_content" in (original.get("include") or ())
    if wanted and thoughts:
        item["encrypted_content"] = sealed(thoughts)
    return item
