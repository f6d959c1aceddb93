"""OpenAI's chunks as the events of its Responses API."""

from collections.abc import Iterator

from gateway.dialects.messages_response import REASONING, first_text
from gateway.dialects.responses_events import (
    CallEvents,
    Events,
    MessageEvents,
    ReasoningEvents,
)
from gateway.dialects.responses_response import ended, identity_of, skeleton
from gateway.errors import BadUpstreamResponse
from routing.chat import Json, Usage

Item = MessageEvents | ReasoningEvents | CallEvents


class ResponseTranslator:
    """Translates one stream, chunk by chunk. `now` is in seconds."""

    def __init__(self, original: Json, now: int) -> None:
        self._original = original
        self._now = now
        self._events = Events()
        self._response: Json = {}
        self._identity = ""
        self._items: list[Item] = []  # in the order they began
        self._speaking: MessageEvents | ReasoningEvents | None = None
        self._calls: dict[int, CallEvents] = {}  # the latest at each index
        self._reason: str | None = None

    def feed(self, chunk: Json) -> list[Json]:
        """The events that say the same. Raises BadUpstreamResponse."""
        try:
            return list(self._translate(chunk))
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            raise BadUpstreamResponse("The provider's stream is malformed.") from error

    def finish(self, usage: Usage) -> list[Json]:
        """What ends the response, once all chunks were fed."""
        if not self._response:
            raise BadUpstreamResponse("The provider's stream holds no answer.")
        events = list(self._hush())
        if not self._items:
            events += self._message().begin()
            events += self._hush()
        for call in self._items:
            if isinstance(call, CallEvents):
                events += call.end()
        output = [item.whole() for item in self._items]
        response = ended(self._response, output, self._reason or "stop", usage)
        events.append(self._events.lifecycle(response["status"], response))
        return events

    def _translate(self, chunk: Json) -> Iterator[Json]:
        if not chunk.get("choices"):
            return  # usage, or a vendor's note before the answer
        if not self._response:
            self._response = skeleton(chunk, self._original, self._now)
            self._identity = identity_of(chunk)
            yield self._events.lifecycle("created", self._response)
            yield self._events.lifecycle("in_progress", self._response)
        choice = chunk["choices"][0]
        delta = choice.get("delta") or {}
        if reasoning := first_text(delta, REASONING):
            yield from self._think(reasoning)
        if blocks := delta.get("thinking_blocks"):
            yield from self._think("")
            if isinstance(self._speaking, ReasoningEvents):
                self._speaking.thoughts += unnumbered(blocks)
        for field in ("content", "refusal"):
            if text := delta.get(field):
                yield from self._say(field, text)
        for place, piece in enumerate(delta.get("tool_calls") or ()):
            yield from self._call(place, piece)
        self._reason = choice.get("finish_reason") or self._reason

    def _think(self, text: str) -> Iterator[Json]:
        item = self._speaking
        if not isinstance(item, ReasoningEvents):
            yield from self._hush()
            place = len(self._items)
            item = ReasoningEvents(
                self._events, place, f"rs_{self._identity}_{place}", self._original
            )
            self._begin(item)
            yield from item.begin()
        if text:
            yield from item.add(text)

    def _say(self, field: str, text: str) -> Iterator[Json]:
        item = self._speaking
        if not isinstance(item, MessageEvents):
            yield from self._hush()
            item = self._message()
            yield from item.begin()
        yield from item.add(field, text)

    def _message(self) -> MessageEvents:
        place = len(self._items)
        item = MessageEvents(self._events, place, f"msg_{self._identity}_{place}")
        self._begin(item)
        return item

    def _begin(self, item: MessageEvents | ReasoningEvents) -> None:
        self._speaking = item
        self._items.append(item)

    def _call(self, place: int, piece: Json) -> Iterator[Json]:
        yield from self._hush()
        index = piece.get("index")
        index = place if index is None else index
        function = piece.get("function") or {}
        name, call_id = function.get("name"), piece.get("id")
        call = self._calls.get(index)
        # Some vendors give each of several calls the index 0.
        if call is None or (name and call_id and call_id != call.call_id):
            at = len(self._items)
            call = self._calls[index] = CallEvents(
                self._events,
                at,
                f"fc_{self._identity}_{at}",
                call_id or f"call_{at}",
                function["name"],
            )
            self._items.append(call)
            yield from call.begin()
        if arguments := function.get("arguments"):
            yield from call.add(arguments)

    def _hush(self) -> Iterator[Json]:
        """End the text or the thought under way."""
        if self._speaking is not None:
            yield from self._speaking.end()
        self._speaking = None


def unnumbered(blocks: list[Json]) -> list[Json]:
    """Signed thoughts without the index that pieces of lists have."""
    return [{k: v for k, v in each.items() if k != "index"} for each in blocks]
