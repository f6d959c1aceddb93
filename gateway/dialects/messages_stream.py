"""OpenAI's chunks as Anthropic's stream of events."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import orjson

from gateway.dialects.messages_response import (
    REASONING,
    ending,
    envelope,
    first_text,
    stop_reason,
    stopped_by,
    to_usage,
)
from gateway.errors import BadUpstreamResponse
from routing.chat import Json, Usage


@dataclass(slots=True)
class Call:
    """A tool's call as far as it has come. `sent` pieces have reached the client, who
    takes no more of them once its block is `closed`."""

    id: str
    name: str
    pieces: list[str] = field(default_factory=list)
    sent: int = 0
    closed: bool = False

    @property
    def whole(self) -> bool:
        """Do its arguments read as JSON, so that nothing more will come?"""
        try:
            orjson.loads("".join(self.pieces))
        except ValueError:
            return False
        return True


class EventTranslator:
    """Translates one stream, chunk by chunk.

    At Anthropic's one block is open at a time, while OpenAI's calls of tools may come
    in turns: the first call that isn't whole is passed on as it comes, and those after
    it wait. `prompt_tokens` is the estimate to start with; the end tells the truth.
    """

    def __init__(
        self, prompt_tokens: int, *, thoughts: bool, names: Mapping[str, str]
    ) -> None:
        self._prompt_tokens = prompt_tokens
        self._thoughts = thoughts
        self._names = names
        self._started = False
        self._index = -1  # of the block that was opened last
        self._open = ""  # its kind, while it is open
        self._calls: dict[int, Call] = {}  # the latest at each index
        self._current: Call | None = None
        self._waiting: list[Call] = []
        self._reason: str | None = None
        self._stopped_by = ""
        self._refuses = False

    def feed(self, chunk: Json) -> list[Json]:
        """The events that say the same. Raises BadUpstreamResponse."""
        try:
            return list(self._translate(chunk))
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            raise BadUpstreamResponse("The provider's stream is malformed.") from error

    def finish(self, usage: Usage) -> list[Json]:
        """What ends the message, once all chunks were fed."""
        if not self._started:
            raise BadUpstreamResponse("The provider's stream holds no answer.")
        events = list(self._end_calls())
        reason = stop_reason(
            self._reason or "stop",
            calls_tools=bool(self._calls),
            refuses=self._refuses,
        )
        events.append(
            {
                "type": "message_delta",
                "delta": ending(reason, self._stopped_by),
                "usage": to_usage(usage),
            }
        )
        return [*events, {"type": "message_stop"}]

    def _translate(self, chunk: Json) -> Iterator[Json]:
        if not chunk.get("choices"):
            return  # usage, or a vendor's note before the answer
        if not self._started:
            self._started = True
            yield self._start(chunk)
        choice = chunk["choices"][0]
        delta = choice.get("delta") or {}
        if self._thoughts and (reasoning := first_text(delta, REASONING)):
            yield from self._text("thinking", "thinking_delta", reasoning)
        if content := delta.get("content"):
            yield from self._text("text", "text_delta", content)
        if refusal := delta.get("refusal"):
            self._refuses = True
            yield from self._text("text", "text_delta", refusal)
        for place, piece in enumerate(delta.get("tool_calls") or ()):
            yield from self._call(place, piece)
        self._reason = choice.get("finish_reason") or self._reason
        self._stopped_by = stopped_by(choice) or self._stopped_by

    def _start(self, chunk: Json) -> Json:
        usage = to_usage(Usage(prompt=self._prompt_tokens, completion=1))
        message = envelope(chunk) | {
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage,
        }
        return {"type": "message_start", "message": message}

    def _text(self, kind: str, delta: str, text: str) -> Iterator[Json]:
        if not isinstance(text, str):
            raise TypeError("text comes as text")
        if self._open != kind:
            yield from self._end_calls()
            block = {"type": kind, kind: ""}
            if kind == "thinking":
                block["signature"] = ""
            yield self._begin(kind, block)
        yield self._delta({"type": delta, kind: text})

    def _call(self, place: int, piece: Json) -> Iterator[Json]:
        """Note the piece of a call, and pass on what can be."""
        index = piece.get("index")
        index = place if index is None else index
        function = piece.get("function") or {}
        name, identity = function.get("name"), piece.get("id")
        call = self._calls.get(index)
        # Some vendors give each of several calls the index 0.
        if call is None or (name and identity and identity != call.id):
            name = self._names.get(function["name"], function["name"])
            call = self._calls[index] = Call(identity or f"toolu_{index}", name)
            self._waiting.append(call)
        if arguments := function.get("arguments"):
            if call.closed or not isinstance(arguments, str):
                raise TypeError("arguments are text, and end with their call")
            call.pieces.append(arguments)
        yield from self._advance()

    def _advance(self) -> Iterator[Json]:
        """Pass on the current call, and those after it once it is whole."""
        while True:
            if self._current is None:
                if not self._waiting:
                    return
                yield from self._open_call(self._waiting.pop(0))
            yield from self._rest_of_current()
            if not self._waiting or not self._current or not self._current.whole:
                return
            yield from self._close()

    def _end_calls(self) -> Iterator[Json]:
        """Close whatever is open; calls that waited are passed on before."""
        while self._waiting:
            if self._current:
                yield from self._rest_of_current()
            yield from self._open_call(self._waiting.pop(0))
        if self._current:
            yield from self._rest_of_current()
        yield from self._close()

    def _open_call(self, call: Call) -> Iterator[Json]:
        yield from self._close()
        self._current = call
        block = {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}
        yield self._begin("tool_use", block)

    def _rest_of_current(self) -> Iterator[Json]:
        call = self._current
        if call is None:
            return
        for piece in call.pieces[call.sent :]:
            yield self._delta({"type": "input_json_delta", "partial_json": piece})
        call.sent = len(call.pieces)

    def _begin(self, kind: str, block: Json) -> Json:
        self._open = kind
        self._index += 1
        return {
            "type": "content_block_start",
            "index": self._index,
            "content_block": block,
        }

    def _delta(self, delta: Json) -> Json:
        return {"type": "content_block_delta", "index": self._index, "delta": delta}

    def _close(self) -> Iterator[Json]:
        if self._open:
            yield {"type": "content_block_stop", "index": self._index}
        self._open = ""
        if self._current:
            self._current.closed = True
            self._current = None
