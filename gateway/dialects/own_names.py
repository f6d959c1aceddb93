"""The fields that an error names, as its client calls them.

All dialects are one language inside, so an error names a field of a chat. An error of a
shared call reaches clients of several dialects; each reads of its own field.
"""

import re
from collections.abc import Iterator
from typing import Any

from gateway.dialects.responses_input import Input
from gateway.errors import GatewayError
from routing.chat import ChatRequest, Json
from routing.providers import Dialect

NAMES: dict[Dialect, dict[str, str]] = {
    "responses": {
        "messages": "input",
        "response_format": "text.format",
        "verbosity": "text.verbosity",
        "max_tokens": "max_output_tokens",
        "max_completion_tokens": "max_output_tokens",
        "reasoning_effort": "reasoning.effort",
    },
    "anthropic": {
        "response_format": "output_config.format",
        "max_completion_tokens": "max_tokens",
        "reasoning_effort": "output_config.effort",
        "stop": "stop_sequences",
    },
    "text": {"messages": "prompt", "max_completion_tokens": "max_tokens"},
    "vectors": {"messages": "input"},
}
# Where a chat wraps what others say directly.
UNWRAPPED = (
    (".image_url.url", ".image_url"),
    (".file.", "."),
    (".function.", "."),
    (".tool_call_id", ".call_id"),
)
BLOCKS = {"image_url": "image", "file": "document"}
PART = re.compile(r"messages\[(\d+)\]\.content\[(\d+)\]")
UNMISTAKABLE = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")  # no word of a sentence


def in_own_words(error: GatewayError, chat: ChatRequest) -> GatewayError:
    """The error as its client reads it."""
    if chat.dialect not in NAMES:
        return error
    names = NAMES[chat.dialect]
    param, message = error.param, error.message
    if param:
        param = own_name(param, chat)
        message = message.replace(error.param or "", param, 1)
    message = UNMISTAKABLE.sub(lambda word: names.get(word[0], word[0]), message)
    if (message, param) == (error.message, error.param):
        return error
    return error.reworded(message, param)


def own_name(param: str, chat: ChatRequest) -> str:
    """What the client calls this field of a chat; its own names stay as they are."""
    names, original = NAMES[chat.dialect], chat.original or {}
    if param.startswith("messages["):
        match chat.dialect:
            case "responses":
                return own_item(param, original)
            case "anthropic":
                return own_block(param, chat) or "messages"
        return names["messages"]
    if param == "response_format" and chat.native:
        param = "output_format" if chat.native.body.get("output_format") else param
    field = re.split(r"[.\[]", param)[0]
    if field in names:
        return names[field] + param[len(field) :]
    return unwrapped(param) if chat.dialect == "responses" else param


def own_item(param: str, original: Json) -> str:
    """The item of a Responses body that became this part of a message."""
    reader = Input(Nothing())
    reader.messages(original.get("instructions"), original.get("input"))
    for end in reversed([found.start() for found in re.finditer(r"[.\[]|$", param)]):
        if place := reader.places.get(param[:end]):
            return unwrapped(place + param[end:])
    return "input"


def unwrapped(param: str) -> str:
    for wrapped, plain in UNWRAPPED:
        param = param.replace(wrapped, plain)
    return param


class Nothing:
    """Takes note of nothing: it was noted when the request was read."""

    def add(self, param: str, reason: str) -> None:
        pass


def own_block(param: str, chat: ChatRequest) -> str:
    """The block of Anthropic's that became this image or document, by its number among
    those of its kind: messages are cut in another way there."""
    found = PART.match(param)
    native = chat.native.body["messages"] if chat.native else []
    if found is None:
        return ""
    messages = chat.body["messages"]
    last, position = int(found[1]), int(found[2])
    try:
        kind = messages[last]["content"][position]["type"]
        block = BLOCKS[kind]
    except (LookupError, TypeError):
        return ""
    parts = [p for m in messages[:last] for p in parts_of(m)]
    parts += parts_of(messages[last])[:position]
    before = sum(part["type"] == kind for part in parts)
    places = list(blocks_in("messages", native, block))
    return places[before] if before < len(places) else ""


def parts_of(message: Json) -> list[Json]:
    content = message.get("content")
    return content if isinstance(content, list) else []


def blocks_in(param: str, value: Any, kind: str) -> Iterator[str]:
    """Where blocks of this kind stand, as Anthropic writes it."""
    match value:
        case {"type": "image", "source": _} if kind == "image":
            yield param
        case {"type": "document", "source": {"type": "base64"}} if kind == "document":
            yield param
        case dict():
            for field in ("content", "source"):
                yield from blocks_in(f"{param}.{field}", value.get(field), kind)
        case list():
            for position, each in enumerate(value):
                yield from blocks_in(f"{param}.{position}", each, kind)
