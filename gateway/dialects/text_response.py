"""Answers of the legacy completions API, and what says the same in a chat."""

from collections.abc import Iterator
from io import StringIO
from typing import Any

from gateway.dialects.openai_builder import FIELD_BYTES, Folded, position, size_of
from gateway.dialects.openai_replay import pieces
from gateway.dialects.usage import usage_of
from gateway.errors import BadUpstreamResponse
from routing.chat import Json, Usage

KIND = "text_completion"


def to_completion(answer: Json) -> Json:
    """A chat's completion; raises BadUpstreamResponse when it is no whole answer."""
    try:
        choices = [
            {
                "index": position(choice, place),
                "message": {
                    "role": "assistant",
                    "content": choice["text"],
                    "refusal": None,
                },
                "logprobs": None,
                "finish_reason": choice.get("finish_reason"),
            }
            for place, choice in enumerate(answer["choices"])
        ]
    except (AttributeError, KeyError, TypeError) as error:
        raise BadUpstreamResponse("The provider's answer is malformed.") from error
    return {**answer, "object": "chat.completion", "choices": choices}


def to_text(completion: Json) -> Json:
    """A completion of a chat as a legacy one."""
    try:
        choices = [
            text_choice(
                position(choice, place),
                said(choice["message"]),
                choice.get("finish_reason"),
            )
            for place, choice in enumerate(completion["choices"])
        ]
    except (AttributeError, KeyError, TypeError) as error:
        raise BadUpstreamResponse("The provider's answer is malformed.") from error
    return {**completion, "object": KIND, "choices": choices}


def text_choice(index: int, text: str, finish_reason: Any) -> Json:
    return {
        "text": text,
        "index": index,
        "logprobs": None,
        "finish_reason": finish_reason,
    }


def said(message: Json) -> str:
    """The text of a message or delta; a refusal is what the model says as well."""
    return (message.get("content") or "") + (message.get("refusal") or "")


class TextTranslator:
    """A chat's chunks as legacy ones."""

    def feed(self, chunk: Json) -> list[Json]:
        try:
            choices = [
                text_choice(position(piece, place), text, piece.get("finish_reason"))
                for place, piece in enumerate(chunk.get("choices") or ())
                if (text := said(piece.get("delta") or {}))
                or piece.get("finish_reason")
            ]
        except (AttributeError, TypeError) as error:
            raise BadUpstreamResponse("The provider's stream is malformed.") from error
        if not choices and not chunk.get("usage"):
            return []  # the role, or a thought
        return [{**chunk, "object": KIND, "choices": choices}]

    def finish(self, usage: Usage) -> list[Json]:
        return []


class ChunkTranslator:
    """Legacy chunks as a chat's."""

    def __init__(self) -> None:
        self._begun: set[int] = set()

    def feed(self, chunk: Json) -> list[Json]:
        try:
            choices = [
                self._choice(position(piece, place), piece)
                for place, piece in enumerate(chunk.get("choices") or ())
            ]
        except (AttributeError, TypeError) as error:
            raise BadUpstreamResponse("The provider's stream is malformed.") from error
        return [{**chunk, "object": "chat.completion.chunk", "choices": choices}]

    def finish(self, usage: Usage) -> list[Json]:
        return []

    def _choice(self, index: int, piece: Json) -> Json:
        delta: Json = {"content": piece["text"]} if piece.get("text") else {}
        if index not in self._begun:
            self._begun.add(index)
            delta = {"role": "assistant", "content": "", **delta}
        return {
            "index": index,
            "delta": delta,
            "logprobs": None,
            "finish_reason": piece.get("finish_reason"),
        }


def text_to_chunks(answer: Json) -> Iterator[Json]:
    """A whole legacy answer as the stream it could have been."""
    head = {k: v for k, v in answer.items() if k not in ("choices", "usage")}
    for choice in answer["choices"]:
        for piece in pieces(choice["text"]):
            start = {**choice, "text": piece, "logprobs": None, "finish_reason": None}
            yield {**head, "choices": [start], "usage": None}
        yield {**head, "choices": [{**choice, "text": ""}], "usage": None}
    if answer.get("usage"):
        yield {**head, "choices": [], "usage": answer["usage"]}


class TextBuilder:
    """Folds legacy chunks into an answer, up to `max_bytes` of it."""

    def __init__(self, max_bytes: int) -> None:
        self.usage: Usage | None = None
        self.overflowed = False
        self._room = max_bytes
        self._head: Json = {}
        self._usage: Json = {}
        self._choices: dict[int, Choice] = {}

    @property
    def complete(self) -> bool:
        choices = self._choices.values()
        return bool(choices) and all(choice.finish_reason for choice in choices)

    def add(self, chunk: Json) -> None:
        """Raises BadUpstreamResponse when this is no chunk."""
        if usage := usage_of(chunk):
            self.usage, self._usage = usage, {"usage": chunk["usage"]}
        if self.overflowed:
            return
        try:
            for field, value in chunk.items():
                if field not in ("choices", "usage") and field not in self._head:
                    self._head[field] = value
                    self._room -= FIELD_BYTES + size_of(value)
            for place, piece in enumerate(chunk.get("choices") or ()):
                choice = self._choices.setdefault(position(piece, place), Choice())
                self._room -= choice.add(piece)
        except (AttributeError, TypeError) as error:
            raise BadUpstreamResponse("The provider's stream is malformed.") from error
        self.overflowed = self._room < 0

    def answer(self) -> Json:
        choices = [
            {"index": index, **choice.whole()}
            for index, choice in sorted(self._choices.items())
        ]
        return {**self._head, "choices": choices, **self._usage}

    def completion(self) -> Json:
        return to_completion(self.answer())


class Choice:
    """One of the answers; `add` returns about how many bytes it has grown by."""

    def __init__(self) -> None:
        self.finish_reason: str | None = None
        self._text = StringIO()
        self._logprobs: Folded | None = None

    def add(self, piece: Json) -> int:
        text = piece.get("text") or ""
        self._text.write(text)
        self.finish_reason = piece.get("finish_reason") or self.finish_reason
        size = size_of(text)
        if logprobs := piece.get("logprobs"):
            self._logprobs = self._logprobs or Folded()
            size += self._logprobs.fold(logprobs)
        return size

    def whole(self) -> Json:
        return {
            "text": self._text.getvalue(),
            "logprobs": self._logprobs and self._logprobs.whole(),
            "finish_reason": self.finish_reason,
        }


def says_nothing(chunk: Json) -> bool:
    """Is there nothing of the answer in it yet?"""
    return not any(
        choice.get("text") or choice.get("finish_reason")
        for choice in chunk.get("choices") or ()
    )
