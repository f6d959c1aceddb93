"""Answers in the dialect of whoever asks, whichever they were bought in.

An answer stays as its provider sent it, in flight and in the cache, beside the name of
the dialect it is in. A client of that dialect gets it untouched, with whatever the
common language has no word for: signatures of thoughts, citations, vendors' own fields.
Everybody else gets a translation, made here, as the answer leaves. So one answer that
was paid for serves readers of either dialect, live, shared or stored.
"""

from collections.abc import Iterator
from typing import Protocol

import orjson

from gateway.dialects import text_response
from gateway.dialects.anthropic_response import to_completion
from gateway.dialects.anthropic_stream import StreamTranslator
from gateway.dialects.messages_replay import message_to_events
from gateway.dialects.messages_response import to_message
from gateway.dialects.messages_stream import EventTranslator
from gateway.dialects.openai_replay import completion_to_chunks
from gateway.dialects.responses_events import response_to_events
from gateway.dialects.responses_response import to_response
from gateway.dialects.responses_stream import ResponseTranslator
from gateway.dialects.text_response import (
    ChunkTranslator,
    TextTranslator,
    text_to_chunks,
    to_text,
)
from gateway.dialects.tool_names import original_names
from routing.chat import ChatRequest, Json, Usage
from routing.features import features_of
from routing.providers import Dialect


class Translator(Protocol):
    """One stream on its way into another dialect."""

    def feed(self, chunk: Json) -> list[Json]:
        """What says the same as this chunk or event."""

    def finish(self, usage: Usage) -> list[Json]:
        """What comes at the end, once the usage is known."""


def whole(
    body: bytes, origin: Dialect, chat: ChatRequest, usage: Usage, now_wall: float
) -> bytes:
    """The JSON of an answer bought in the dialect `origin`, for this client."""
    if origin == chat.dialect:
        return body
    completion = in_common(orjson.loads(body), origin, now_wall)
    match chat.dialect:
        case "anthropic":
            return orjson.dumps(
                to_message(
                    completion,
                    usage,
                    thoughts=asks_for_thoughts(chat.body),
                    names=original_names(chat.body),
                )
            )
        case "text":
            return orjson.dumps(to_text(completion))
        case "responses":
            original = chat.original or {}
            response = to_response(completion, usage, original, int(now_wall))
            return orjson.dumps(response)
        case _:
            return orjson.dumps(completion)


def in_common(answer: Json, origin: Dialect, now_wall: float) -> Json:
    """An answer in the common language."""
    match origin:
        case "anthropic":
            return to_completion(answer, int(now_wall))
        case "text":
            return text_response.to_completion(answer)
        case _:
            return answer


def translator(
    origin: Dialect, chat: ChatRequest, now_wall: float
) -> Translator | None:
    """What translates a stream for this client; None when it needs no translation."""
    if origin == chat.dialect:
        return None
    steps: list[Translator] = []
    if origin == "anthropic":
        steps.append(StreamTranslator(int(now_wall)))
    elif origin == "text":
        steps.append(ChunkTranslator())
    if chat.dialect == "anthropic":
        steps.append(
            EventTranslator(
                features_of(chat).prompt_tokens,
                thoughts=asks_for_thoughts(chat.body),
                names=original_names(chat.body),
            )
        )
    elif chat.dialect == "text":
        steps.append(TextTranslator())
    elif chat.dialect == "responses":
        steps.append(ResponseTranslator(chat.original or {}, int(now_wall)))
    return steps[0] if len(steps) == 1 else InTurn(*steps)


class InTurn:
    """Into the common language, and from there into another."""

    def __init__(self, first: Translator, second: Translator) -> None:
        self._first, self._second = first, second

    def feed(self, chunk: Json) -> list[Json]:
        return self._on(self._first.feed(chunk))

    def finish(self, usage: Usage) -> list[Json]:
        return self._on(self._first.finish(usage)) + self._second.finish(usage)

    def _on(self, chunks: list[Json]) -> list[Json]:
        return [said for chunk in chunks for said in self._second.feed(chunk)]


def replay(answer: Json, dialect: Dialect) -> Iterator[Json]:
    """A whole answer as the stream it could have been, in its own dialect."""
    match dialect:
        case "anthropic":
            return message_to_events(answer)
        case "text":
            return text_to_chunks(answer)
        case "responses":
            return response_to_events(answer)
    return completion_to_chunks(answer, include_usage=True)


def asks_for_thoughts(body: Json) -> bool:
    """Does the client expect blocks of thinking? Without asking it gets none."""
    thinking = body.get("thinking")
    return isinstance(thinking, dict) and thinking.get("type") != "disabled"
