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

from gateway.dialects.anthropic_response import to_completion
from gateway.dialects.anthropic_stream import StreamTranslator
from gateway.dialects.messages_replay import message_to_events
from gateway.dialects.messages_response import to_message
from gateway.dialects.messages_stream import EventTranslator
from gateway.dialects.openai_replay import completion_to_chunks
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
    answer = orjson.loads(body)
    if origin == "anthropic":
        return orjson.dumps(to_completion(answer, int(now_wall)))
    return orjson.dumps(
        to_message(
            answer,
            usage,
            thoughts=asks_for_thoughts(chat.body),
            names=original_names(chat.body),
        )
    )


def translator(
    origin: Dialect, chat: ChatRequest, now_wall: float
) -> Translator | None:
    """What translates a stream for this client; None when it needs no translation."""
    if origin == chat.dialect:
        return None
    if origin == "anthropic":
        return StreamTranslator(int(now_wall))
    features = features_of(chat)
    return EventTranslator(
        features.prompt_tokens,
        thoughts=asks_for_thoughts(chat.body),
        names=original_names(chat.body),
    )


def replay(answer: Json, dialect: Dialect) -> Iterator[Json]:
    """A whole answer as the stream it could have been, in its own dialect."""
    if dialect == "anthropic":
        return message_to_events(answer)
    return completion_to_chunks(answer, include_usage=True)


def asks_for_thoughts(body: Json) -> bool:
    """Does the client expect blocks of thinking? Without asking it gets none."""
    thinking = body.get("thinking")
    return isinstance(thinking, dict) and thinking.get("type") != "disabled"
