"""Anthropic's messages, as api.anthropic.com words them."""

import json
from base64 import b64encode
from collections.abc import Iterator

from tests.faultllm.answer import Answer, ToolCall, messages_of
from tests.faultllm.dialect import Event
from tests.faultllm.wire import Json, Request

STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}
ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
NO_SAMPLING_SINCE = "2026-10-21"


def usage(answer: Answer, output_tokens: int) -> Json:
    return {
        "input_tokens": answer.prompt_tokens - answer.cached - answer.cache_write,
        "cache_creation_input_tokens": answer.cache_write,
        "cache_read_input_tokens": answer.cached,
        "cache_creation": {
            "ephemeral_5m_input_tokens": answer.cache_write - answer.cache_write_1h,
            "ephemeral_1h_input_tokens": answer.cache_write_1h,
        },
        "output_tokens": output_tokens,
        "output_tokens_details": {"thinking_tokens": len(answer.reasoning)},
        "service_tier": "standard",
    }


def message(answer: Answer) -> Json:
    return {
        "id": f"msg_fault{answer.serial}",
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def stop(answer: Answer) -> Json:
    reason = "refusal" if answer.refused else answer.finish
    return {"stop_reason": STOP_REASONS.get(reason, reason), "stop_sequence": None}


def whole(answer: Answer) -> Event:
    blocks: list[Json] = []
    if answer.reasoning:
        thought = " ".join(answer.reasoning)
        blocks.append(
            {"type": "thinking", "thinking": thought, "signature": signed(answer.model)}
        )
    if answer.words:
        blocks.append({"type": "text", "text": answer.text})
    for at, call in enumerate(answer.tool_calls):
        blocks.append(tool_use(answer, at, call, json.loads(call.arguments)))
    body = message(answer) | stop(answer) | {"content": blocks}
    body["usage"] = usage(answer, answer.completion_tokens)
    return Event(body, tokens=answer.completion_tokens)


def signed(model: str) -> str:
    """What shows that a thought is this model's own."""
    return b64encode(f"thought by {model}".encode()).decode()


def foreign_thought(body: Json) -> str:
    """What the API says about a thought in the history that isn't this model's."""
    for at, row in enumerate(messages_of(body)):
        content = row.get("content")
        for place, block in enumerate(content if isinstance(content, list) else ()):
            if block.get("type") == "thinking" and block.get("signature") != signed(
                str(body["model"])
            ):
                where = f"messages.{at}.content.{place}"
                return f"{where}: Invalid `signature` in `thinking` block"
    return ""


def tool_use(answer: Answer, at: int, call: ToolCall, arguments: Json) -> Json:
    name = f"toolu_{answer.serial}_{at}"
    return {"type": "tool_use", "id": name, "name": call.name, "input": arguments}


def event(data: Json, tokens: int | None = None) -> Event:
    return Event(data, data["type"], tokens)


def stream(answer: Answer) -> Iterator[Event]:
    opening = message(answer) | {"usage": usage(answer, 1)}
    yield event({"type": "message_start", "message": opening}, tokens=0)
    yield event({"type": "ping"})
    for index, (block, pieces) in enumerate(blocks_of(answer)):
        at = {"index": index}
        yield event({"type": "content_block_start", **at, "content_block": block})
        for delta, tokens in pieces:
            yield event({"type": "content_block_delta", **at, "delta": delta}, tokens)
        yield event({"type": "content_block_stop", **at})
    end = {"type": "message_delta", "delta": stop(answer)}
    yield event(end | {"usage": usage(answer, answer.completion_tokens)})
    yield event({"type": "message_stop"})


Block = tuple[Json, list[tuple[Json, int]]]


def blocks_of(answer: Answer) -> Iterator[Block]:
    """Each content block as it starts, with the deltas that fill it."""
    if answer.reasoning:
        thoughts = [thinking_delta(f"{word} ") for word in answer.reasoning]
        signature: tuple[Json, int] = (
            {"type": "signature_delta", "signature": signed(answer.model)},
            0,
        )
        yield (
            {"type": "thinking", "thinking": "", "signature": ""},
            [*thoughts, signature],
        )
    if answer.words:
        block = {"type": "text", "text": ""}
        yield block, [text_delta(*piece) for piece in answer.text_pieces()]
    for at, call in enumerate(answer.tool_calls):
        yield tool_use(answer, at, call, {}), [json_delta(f) for f in call.fragments()]


def thinking_delta(text: str) -> tuple[Json, int]:
    return {"type": "thinking_delta", "thinking": text}, 1


def text_delta(text: str, tokens: int) -> tuple[Json, int]:
    return {"type": "text_delta", "text": text}, tokens


def json_delta(fragment: str) -> tuple[Json, int]:
    return {"type": "input_json_delta", "partial_json": fragment}, 1


def error(status: int, message: str) -> Json:
    kind = ERRORS.get(status, "api_error")
    return {
        "type": "error",
        "error": {"type": kind, "message": message},
        "request_id": "req_fault",
    }


def context_length_error() -> Json:
    return error(400, "prompt is too long: 9001 tokens > 8192 maximum")


def error_event() -> Event:
    return Event(error(529, "Overloaded"), "error")


def models() -> Json:
    row = {
        "id": "fault/ok",
        "type": "model",
        "display_name": "Fault",
        "created_at": "2025-10-09T00:00:00Z",
        "lifecycle": "active",
    }
    return {
        "data": [row],
        "has_more": False,
        "first_id": "fault/ok",
        "last_id": "fault/ok",
    }


def complaint(request: Request) -> str:
    version = request.headers.get("anthropic-version")
    if not version:
        return "anthropic-version: header is required"
    for name in ("model", "messages", "max_tokens"):
        if name not in request.body:
            return f"{name}: Field required"
    if version >= NO_SAMPLING_SINCE:
        for name in ("temperature", "top_p", "top_k"):
            if name in request.body:
                return f"{name}: not supported in version {version}"
    return foreign_thought(request.body)


def headers(serial: int) -> dict[str, str]:
    return {"request-id": f"req_fault{serial}"}
