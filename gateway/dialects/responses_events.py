"""The events of a response, numbered, and those of each kind of item in it."""

from collections.abc import Iterator
from io import StringIO

from gateway.dialects.openai_replay import pieces
from gateway.dialects.responses_response import (
    call_item,
    message_item,
    reasoning_item,
    text_part,
)
from routing.chat import Json

PARTS = {"content": "output_text", "refusal": "refusal"}


class Events:
    """Makes events of one stream; their numbers rise by one."""

    def __init__(self) -> None:
        self._number = 0

    def make(self, kind: str, **fields: object) -> Json:
        event = {"type": f"response.{kind}", "sequence_number": self._number, **fields}
        self._number += 1
        return event

    def lifecycle(self, kind: str, response: Json) -> Json:
        return self.make(kind, response=response)


class ItemEvents:
    """What all items have: they are added, and in the end done."""

    def __init__(self, events: Events, place: int, id: str) -> None:
        self._events = events
        self._place = place
        self._id = id

    def _added(self, item: Json) -> Json:
        return self._events.make(
            "output_item.added", output_index=self._place, item=item
        )

    def _done(self, item: Json) -> Json:
        return self._events.make(
            "output_item.done", output_index=self._place, item=item
        )

    def _make(self, kind: str, **fields: object) -> Json:
        return self._events.make(
            kind, item_id=self._id, output_index=self._place, **fields
        )


class MessageEvents(ItemEvents):
    """What is said: parts of text, or of a refusal, one open at a time."""

    def __init__(self, events: Events, place: int, id: str) -> None:
        super().__init__(events, place, id)
        self._parts: list[Json] = []
        self._kind = ""
        self._text = StringIO()

    def begin(self) -> Iterator[Json]:
        yield self._added(message_item(self._id, "in_progress", []))

    def add(self, field: str, text: str) -> Iterator[Json]:
        """A piece of `content` or of `refusal`."""
        if not isinstance(text, str):
            raise TypeError("text comes as text")
        if self._kind != field:
            yield from self._end_part()
            self._kind = field
            yield self._make(
                "content_part.added", content_index=self._index, part=self._part("")
            )
        self._text.write(text)
        kind = PARTS[self._kind]
        extra: Json = {"logprobs": []} if kind == "output_text" else {}
        yield self._make(
            f"{kind}.delta", content_index=self._index, delta=text, **extra
        )

    def end(self) -> Iterator[Json]:
        yield from self._end_part()
        yield self._done(self.whole())

    def whole(self) -> Json:
        return message_item(self._id, "completed", self._parts)

    @property
    def _index(self) -> int:
        return len(self._parts)

    def _part(self, text: str) -> Json:
        if self._kind == "content":
            return text_part(text)
        return {"type": "refusal", "refusal": text}

    def _end_part(self) -> Iterator[Json]:
        if not self._kind:
            return
        text = self._text.getvalue()
        part, index = self._part(text), self._index
        if self._kind == "content":
            yield self._make(
                "output_text.done", content_index=index, text=text, logprobs=[]
            )
        else:
            yield self._make("refusal.done", content_index=index, refusal=text)
        yield self._make("content_part.done", content_index=index, part=part)
        self._parts.append(part)
        self._kind, self._text = "", StringIO()


class ReasoningEvents(ItemEvents):
    """What is thought, as a summary; `thoughts` are the signed ones."""

    def __init__(self, events: Events, place: int, id: str, original: Json) -> None:
        super().__init__(events, place, id)
        self.thoughts: list[Json] = []
        self._original = original
        self._text = StringIO()

    def begin(self) -> Iterator[Json]:
        yield self._added(reasoning_item(self._id, "", [], {}))

    def add(self, text: str) -> Iterator[Json]:
        if not self._text.tell():
            part = {"type": "summary_text", "text": ""}
            yield self._make("reasoning_summary_part.added", summary_index=0, part=part)
        self._text.write(text)
        yield self._make("reasoning_summary_text.delta", summary_index=0, delta=text)

    def end(self) -> Iterator[Json]:
        if text := self._text.getvalue():
            part = {"type": "summary_text", "text": text}
            yield self._make("reasoning_summary_text.done", summary_index=0, text=text)
            yield self._make("reasoning_summary_part.done", summary_index=0, part=part)
        yield self._done(self.whole())

    def whole(self) -> Json:
        text = self._text.getvalue()
        return reasoning_item(self._id, text, self.thoughts, self._original)


class CallEvents(ItemEvents):
    """A call of a tool; several may be under way at once."""

    def __init__(
        self, events: Events, place: int, id: str, call_id: str, name: str
    ) -> None:
        super().__init__(events, place, id)
        self.call_id = call_id
        self._name = name
        self._arguments = StringIO()

    def begin(self) -> Iterator[Json]:
        yield self._added(
            call_item(self._id, "in_progress", self.call_id, self._name, "")
        )

    def add(self, arguments: str) -> Iterator[Json]:
        if not isinstance(arguments, str):
            raise TypeError("arguments are text")
        self._arguments.write(arguments)
        yield self._make("function_call_arguments.delta", delta=arguments)

    def end(self) -> Iterator[Json]:
        arguments = self._arguments.getvalue()
        yield self._make("function_call_arguments.done", arguments=arguments)
        yield self._done(self.whole())

    def whole(self) -> Json:
        arguments = self._arguments.getvalue()
        return call_item(self._id, "completed", self.call_id, self._name, arguments)


def response_to_events(response: Json) -> Iterator[Json]:
    """A whole response as the stream it could have been."""
    events = Events()
    start = {
        **response,
        "status": "in_progress",
        "output": [],
        "usage": None,
        "incomplete_details": None,
    }
    yield events.lifecycle("created", start)
    yield events.lifecycle("in_progress", start)
    for place, item in enumerate(response["output"]):
        yield from events_of(events, place, item)
    yield events.lifecycle(response["status"], response)


def events_of(events: Events, place: int, item: Json) -> Iterator[Json]:
    match item:
        case {"type": "message", "content": [*parts]}:
            message = MessageEvents(events, place, item["id"])
            yield from message.begin()
            for part in parts:
                field = "refusal" if part["type"] == "refusal" else "content"
                for piece in pieces(part.get("refusal") or part.get("text") or ""):
                    yield from message.add(field, piece)
            yield from message.end()
        case {"type": "function_call", "arguments": str(arguments)}:
            call = CallEvents(events, place, item["id"], item["call_id"], item["name"])
            yield from call.begin()
            for piece in pieces(arguments):
                yield from call.add(piece)
            yield from call.end()
        case _:
            started = {k: v for k, v in item.items() if k != "encrypted_content"}
            if item.get("type") == "reasoning":
                started["summary"] = []
            for kind, shown in (("added", started), ("done", item)):
                yield events.make(f"output_item.{kind}", output_index=place, item=shown)
