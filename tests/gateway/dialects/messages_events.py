"""Chunks made of a few words, and Anthropic's events made of chunks."""

from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import RawMessageStreamEvent
from pydantic import TypeAdapter

from gateway.dialects.messages_stream import EventTranslator
from routing.chat import Json, Usage

HEAD = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1700000000,
    "model": "gpt-x",
}
ROLE = {"role": "assistant", "content": ""}
USAGE = Usage(12, 5)
EVENT = TypeAdapter(RawMessageStreamEvent)


def chunk(delta: Json, finish: str | None = None) -> Json:
    return {**HEAD, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def piece(index: int | None, arguments: str = "", **more: object) -> Json:
    """A part of a tool's call; the first has its id and name."""
    function = {"arguments": arguments}
    if name := more.pop("name", None):
        function["name"] = name
    return chunk({"tool_calls": [{"index": index, **more, "function": function}]})


def events_of(
    *chunks: Json, usage: Usage = USAGE, thoughts: bool = False, **names: str
) -> list[Json]:
    translator = EventTranslator(10, thoughts=thoughts, names=names)
    events = [event for each in chunks for event in translator.feed(each)]
    events += translator.finish(usage)
    check_grammar(events)
    return events


def check_grammar(events: list[Json]) -> None:
    """One start, one block open at a time, indexes in order, one end."""
    for event in events:
        EVENT.validate_python(event)
    kinds = [event["type"] for event in events]
    assert kinds[0] == "message_start" and kinds.count("message_start") == 1
    assert kinds[-2:] == ["message_delta", "message_stop"]
    assert kinds.count("message_delta") == kinds.count("message_stop") == 1
    open_index, last = None, -1
    for event in events[1:-2]:
        if event["type"] == "content_block_start":
            assert open_index is None and event["index"] == last + 1
            open_index = last = event["index"]
            kind = event["content_block"]["type"]
        elif event["type"] == "content_block_delta":
            assert event["index"] == open_index
            fits = {"text_delta": "text", "thinking_delta": "thinking"}
            assert fits.get(event["delta"]["type"], "tool_use") == kind
        else:
            assert event["type"] == "content_block_stop"
            assert event["index"] == open_index
            open_index = None
    assert open_index is None


def message_of(events: list[Json]) -> Json:
    """What Anthropic's SDK makes of the events."""
    message, buffers = None, {}
    for event in events:
        message = accumulate_event(
            event=EVENT.validate_python(event),
            current_snapshot=message,
            json_bufs=buffers,
        )
    whole = message.to_dict()
    del whole["stop_details"]  # the SDK's own
    return whole
