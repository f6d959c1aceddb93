"""The message that Anthropic's stream of events adds up to."""

from io import StringIO

import orjson

from gateway.dialects.anthropic_response import finish_reason, to_message
from gateway.dialects.anthropic_usage import to_usage, update_usage
from gateway.dialects.openai_builder import FIELD_BYTES, size_of
from gateway.dialects.usage import usage_of
from gateway.errors import BadUpstreamResponse
from routing.chat import Json, Usage

# A delta's kind: where its piece is, and the block's field that it is a piece of.
TEXTS = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "input_json_delta": ("partial_json", "input"),
}
INVALID_JSON = "INVALID_JSON"  # how Anthropic's documentation says to wrap it


class MessageBuilder:
    """Folds events into a message, up to `max_bytes` of answer.

    Beyond them, and at kinds of deltas that are new to us, it says `overflowed`, keeps
    what it has, and notes usage only.
    """

    def __init__(self, max_bytes: int) -> None:
        self.overflowed = False
        self._room = max_bytes
        self._head: Json = {}
        self._usage: Json = {}
        self._blocks: list[Block] = []

    @property
    def usage(self) -> Usage | None:
        return usage_of({"usage": to_usage(self._usage)})

    @property
    def complete(self) -> bool:
        """Has it been said why the message ends?"""
        return self._head.get("stop_reason") is not None

    def add(self, event: Json) -> None:
        """Raises BadUpstreamResponse when this is no event of a message."""
        try:
            size = self._add(event)
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            raise BadUpstreamResponse("The provider's stream is malformed.") from error
        self._room -= size
        self.overflowed = self.overflowed or self._room < 0

    def answer(self) -> Json:
        """What has come so far, in Anthropic's words."""
        content = [block.whole() for block in self._blocks]
        return {**self._head, "content": content, "usage": self._usage}

    def completion(self) -> Json:
        """The same in the common language, finished or not."""
        message = to_message([block.whole() for block in self._blocks])
        reason = self._head.get("stop_reason")
        calls_tools = "tool_calls" in message
        finish = reason and finish_reason(reason, calls_tools=calls_tools)
        if explanation := explanation_in(self._head):
            message["refusal"] = explanation
        choice = {"index": 0, "message": message, "finish_reason": finish}
        return {"choices": [choice]}

    def _add(self, event: Json) -> int:
        match event.get("type"):
            case "message_start":
                return self._start(event["message"])
            case "content_block_start":
                return self._open(event["index"], event["content_block"])
            case "content_block_delta":
                return self._continue(event["index"], event["delta"])
            case "message_delta":
                return self._end(event)
            case "message_stop" if not self.complete:
                raise KeyError("a message says why it ends")
            case _:  # pings, ends of blocks, and kinds of events that are new to us
                return 0

    def _start(self, message: Json) -> int:
        if self._head:
            raise KeyError("a message starts once")
        self._head = {**message}
        update_usage(self._usage, self._head.pop("usage", None))
        return size_of(message)

    def _open(self, index: int, block: Json) -> int:
        if not self._head or index != len(self._blocks):
            raise KeyError("blocks come one after the other")
        if not isinstance(block["type"], str):
            raise TypeError("a block says what it is")
        self._blocks.append(Block(block))
        return FIELD_BYTES + size_of(block)

    def _continue(self, index: int, delta: Json) -> int:
        block = self._blocks[index]
        if self.overflowed:
            return 0
        added = block.add(delta)
        self.overflowed = added is None
        return added or 0

    def _end(self, event: Json) -> int:
        if not self._head:
            raise KeyError("message_start comes first")
        update_usage(self._usage, event.get("usage"))
        known = {**event, **event["delta"]}
        for field in ("type", "delta", "usage"):
            known.pop(field, None)
        self._head.update({k: v for k, v in known.items() if v is not None})
        return size_of(known)


class Block:
    """One block of content; `add` returns how many bytes it has grown by, or None
    when it is a kind of delta that can't be put in its place."""

    def __init__(self, start: Json) -> None:
        self._start = start
        self._texts: dict[str, StringIO] = {}
        self._others: Json = {}

    def add(self, delta: Json) -> int | None:
        kind = delta["type"]
        if place := TEXTS.get(kind):
            source, field = place
            text: str = delta[source]
            self._texts.setdefault(field, StringIO()).write(text)
            return size_of(text)
        if kind == "signature_delta":
            self._others["signature"] = delta["signature"]
        elif kind == "citations_delta":
            self._others.setdefault("citations", []).append(delta["citation"])
        else:
            return None
        return size_of(delta)

    def whole(self) -> Json:
        block = {**self._start, **self._others}
        for field, pieces in self._texts.items():
            text = pieces.getvalue()
            if field != "input":
                block[field] = (block.get(field) or "") + text
            elif text:
                block[field] = to_input(text)
        return block


def to_input(arguments: str) -> Json:
    """A tool's input; what is no JSON object is kept, as what it is."""
    if not arguments.strip():
        return {}
    try:
        value = orjson.loads(arguments)
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {INVALID_JSON: arguments}


def explanation_in(message: Json) -> str:
    """Why the model refused, where it says so."""
    details = message.get("stop_details")
    said = details.get("explanation") if isinstance(details, dict) else None
    return said if isinstance(said, str) else ""


def says_nothing(event: Json) -> bool:
    """Is this only the announcement of an answer, with nothing of it yet?"""
    match event.get("type"):
        case "message_start" | "ping" | "content_block_stop":
            return True
        case "content_block_start":
            return event["content_block"].get("type") in ("text", "thinking")
        case "content_block_delta":
            return not any(v for k, v in event["delta"].items() if k != "type")
        case _:
            return False
