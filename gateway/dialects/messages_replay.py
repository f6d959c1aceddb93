"""A whole message as the stream of events it could have been."""

from collections.abc import Iterator

import orjson

from gateway.dialects.openai_replay import pieces
from routing.chat import Json

AT_THE_END = ("stop_reason", "stop_sequence", "stop_details", "container")
IN_DELTA_ONLY = ("context_management",)


def message_to_events(message: Json) -> Iterator[Json]:
    """Start, each block opened, filled and closed, why it ended, stop."""
    start = {k: v for k, v in message.items() if k not in IN_DELTA_ONLY}
    start |= {"content": [], "stop_reason": None, "stop_sequence": None}
    start.pop("stop_details", None)
    usage = message.get("usage") or {}
    start["usage"] = {**usage, "output_tokens": min(usage.get("output_tokens", 0), 1)}
    yield {"type": "message_start", "message": start}
    for index, block in enumerate(message["content"]):
        yield from events_of(index, block)
    delta = {field: message[field] for field in AT_THE_END if field in message}
    others = {field: message[field] for field in IN_DELTA_ONLY if field in message}
    yield {"type": "message_delta", "delta": delta, "usage": usage, **others}
    yield {"type": "message_stop"}


def events_of(index: int, block: Json) -> Iterator[Json]:
    start, deltas = taken_apart(block)
    yield {"type": "content_block_start", "index": index, "content_block": start}
    for delta in deltas:
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def taken_apart(block: Json) -> tuple[Json, list[Json]]:
    """A block as it opens, and what fills it; other kinds come in one."""
    match block:
        case {"type": "text", "text": str(text)}:
            start = {k: v for k, v in block.items() if k != "citations"} | {"text": ""}
            return start, [
                *({"type": "text_delta", "text": piece} for piece in pieces(text)),
                *(
                    {"type": "citations_delta", "citation": citation}
                    for citation in block.get("citations") or ()
                ),
            ]
        case {"type": "thinking", "thinking": str(text)}:
            start = {**block, "thinking": "", "signature": ""}
            deltas = [
                {"type": "thinking_delta", "thinking": piece} for piece in pieces(text)
            ]
            if signature := block.get("signature"):
                deltas.append({"type": "signature_delta", "signature": signature})
            return start, deltas
        case {"type": "tool_use" | "server_tool_use", "input": dict(arguments)}:
            written = orjson.dumps(arguments).decode() if arguments else ""
            return {**block, "input": {}}, [
                {"type": "input_json_delta", "partial_json": piece}
                for piece in ["", *pieces(written)]
            ]
        case _:
            return block, []
