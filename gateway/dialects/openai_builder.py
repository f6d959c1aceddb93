"""The completion that a stream of chunks adds up to."""

from io import StringIO
from typing import Any

import orjson

from gateway.dialects.usage import usage_of
from gateway.errors import BadUpstreamResponse
from routing.chat import Json, Usage

NOT_KEPT = frozenset({"choices", "usage", "object", "obfuscation"})
# Sent once, or again in every piece by some vendors: never pieces of a longer text.
CONSTANT = frozenset({"role", "id", "type", "name"})
PLACED = frozenset({"index", "tool_calls"})  # Choice puts them in their places
FIELD_BYTES = 64  # about what a new field or object takes besides its text


class CompletionBuilder:
    """Folds chunks into a completion, up to `max_bytes` of answer.

    Beyond them it says `overflowed`, keeps what it has, and notes usage only.
    """

    def __init__(self, max_bytes: int) -> None:
        self.usage: Usage | None = None
        self.overflowed = False
        self._room = max_bytes
        self._head: Json = {}
        self._usage: Json = {}
        self._choices: dict[int, Choice] = {}

    @property
    def complete(self) -> bool:
        """Has every choice that was seen been finished?"""
        choices = self._choices.values()
        return bool(choices) and all(choice.finish_reason for choice in choices)

    def add(self, chunk: Json) -> None:
        """Raises BadUpstreamResponse when this is no chunk."""
        if usage := usage_of(chunk):
            self.usage, self._usage = usage, {"usage": chunk["usage"]}
        if self.overflowed:
            return
        try:
            self._room -= self._add_head(chunk) + self._add_choices(chunk)
        except (AttributeError, TypeError) as error:
            raise BadUpstreamResponse("The provider's stream is malformed.") from error
        self.overflowed = self._room < 0

    def completion(self) -> Json:
        """What has come so far."""
        head = self._head | {"object": "chat.completion"}
        choices = [choice.whole() for _, choice in sorted(self._choices.items())]
        return head | {"choices": choices} | self._usage

    def answer(self) -> Json:
        """The same: a completion is the common language already."""
        return self.completion()

    def _add_head(self, chunk: Json) -> int:
        size = 0
        for field, value in chunk.items():
            if value is not None and field not in NOT_KEPT and field not in self._head:
                self._head[field] = value
                size += FIELD_BYTES + size_of(value)
        return size

    def _add_choices(self, chunk: Json) -> int:
        size = 0
        for piece in chunk.get("choices") or ():
            index = position(piece, 0)
            choice = self._choices.get(index)
            if choice is None:
                choice = self._choices[index] = Choice(index)
                size += FIELD_BYTES
            size += choice.add(piece)
        return size


class Choice:
    """One of the answers. `add` returns about how many bytes it has grown by."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.finish_reason: str | None = None
        self._message = Folded()
        self._calls: dict[int, Folded] = {}
        self._logprobs: Folded | None = None

    def add(self, piece: Json) -> int:
        self.finish_reason = piece.get("finish_reason") or self.finish_reason
        delta = piece.get("delta") or {}
        size = self._message.fold(delta)
        for place, call in enumerate(delta.get("tool_calls") or ()):
            known = self._calls.setdefault(position(call, place), Folded())
            size += known.fold(call)
        if logprobs := piece.get("logprobs"):
            self._logprobs = self._logprobs or Folded()
            size += self._logprobs.fold(logprobs)
        return size

    def whole(self) -> Json:
        message: Json = {"role": "assistant", "content": None, "refusal": None}
        message |= self._message.whole()
        if self._calls:
            calls = [call.whole() for _, call in sorted(self._calls.items())]
            message["tool_calls"] = calls
        return {
            "index": self.index,
            "message": message,
            "logprobs": self._logprobs and self._logprobs.whole(),
            "finish_reason": self.finish_reason,
        }


class Folded:
    """An object that arrives in pieces: texts and lists grow, the rest comes once."""

    def __init__(self) -> None:
        self._fields: Json = {}

    def fold(self, delta: Json, *, nested: bool = True) -> int:
        """Add a piece. Objects inside are in pieces too, but nothing inside those."""
        size = 0
        for field, value in delta.items():
            if field in PLACED:
                continue
            if field not in self._fields:
                self._fields[field] = None
                size += FIELD_BYTES + len(field)
            if isinstance(value, dict) and nested:
                size += self._part(field, Folded).fold(value, nested=False)
                continue
            if isinstance(value, str) and field not in CONSTANT:
                self._part(field, StringIO).write(value)
            elif isinstance(value, list):
                self._part(field, list).extend(value)
            elif self._fields[field] or not value:
                continue
            else:
                self._fields[field] = value
            size += size_of(value)
        return size

    def whole(self) -> Json:
        return {field: finished(value) for field, value in self._fields.items()}

    def _part(self, field: str, kind: type) -> Any:
        part = self._fields.get(field)
        if not isinstance(part, kind):
            part = self._fields[field] = kind()
        return part


def finished(value: Any) -> Any:
    if isinstance(value, StringIO):
        return value.getvalue()
    return value.whole() if isinstance(value, Folded) else value


def position(item: Json, default: int) -> int:
    index = item.get("index")
    if index is None:
        return default
    if type(index) is not int:
        raise TypeError("an index is a whole number")
    return index


def size_of(value: Any) -> int:
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode())
    return len(orjson.dumps(value))


def says_nothing(chunk: Json) -> bool:
    """Is this only the announcement of an answer, with nothing of it yet?"""
    for choice in chunk.get("choices") or ():
        delta = choice.get("delta") or {}
        if choice.get("finish_reason"):
            return False
        if any(value for name, value in delta.items() if name != "role"):
            return False
    return True
