import orjson
import pytest
from anthropic.types import RawMessageStreamEvent
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk
from pydantic import TypeAdapter

from gateway.api import render
from gateway.dialects.anthropic_response import to_completion
from gateway.dialects.anthropic_stream import StreamTranslator
from gateway.dialects.openai import CompletionBuilder, strip_usage
from gateway.dialects.sse import EventParser
from gateway.errors import BadUpstreamResponse
from routing.chat import Json, Usage

START = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-x",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {
            "input_tokens": 10,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 5,
            "output_tokens": 1,
        },
    },
}
STOP = {"type": "message_stop"}
TEXT = {"type": "text", "text": ""}


def opened(index: int, block: Json) -> Json:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: int, kind: str, **fields: str) -> Json:
    return {
        "type": "content_block_delta",
        "index": index,
        "delta": {"type": kind, **fields},
    }


def closed(index: int) -> Json:
    return {"type": "content_block_stop", "index": index}


def finished(reason: str, **usage: int | None) -> Json:
    return {
        "type": "message_delta",
        "delta": {"stop_reason": reason, "stop_sequence": None},
        "usage": {"output_tokens": 15, **usage},
    }


def tool(id_: str, name: str) -> Json:
    return {"type": "tool_use", "id": id_, "name": name, "input": {}}


def chunks_of(*events: Json) -> list[Json]:
    translator = StreamTranslator(created=1700000000)
    chunks = []
    for event in events:
        TypeAdapter(RawMessageStreamEvent).validate_python(event)
        chunks += translator.feed(event)
    for chunk in chunks:
        ChatCompletionChunk.model_validate(chunk)
    return chunks


def deltas_of(*events: Json) -> list[Json]:
    return [
        chunk["choices"][0]["delta"] for chunk in chunks_of(*events) if chunk["choices"]
    ]


def test_a_plain_stream():
    head = {
        "id": "msg_1",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": "claude-x",
        "usage": None,
    }
    choice = {"index": 0, "logprobs": None, "finish_reason": None}
    start = {"role": "assistant", "content": ""}
    last = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}

    assert chunks_of(
        START,
        opened(0, TEXT),
        delta(0, "text_delta", text="Hel"),
        delta(0, "text_delta", text="lo"),
        closed(0),
        finished("end_turn"),
        STOP,
    ) == [
        head | {"choices": [choice | {"delta": start}]},
        head | {"choices": [choice | {"delta": {"content": "Hel"}}]},
        head | {"choices": [choice | {"delta": {"content": "lo"}}]},
        head | {"choices": [last]},
        head
        | {
            "choices": [],
            "usage": {
                "prompt_tokens": 15,
                "completion_tokens": 15,
                "total_tokens": 30,
                "prompt_tokens_details": {
                    "cached_tokens": 5,
                    "cache_write_tokens": 0,
                },
                "completion_tokens_details": {"reasoning_tokens": 0},
            },
        },
    ]


def test_a_plain_stream_to_the_byte():
    chunks = chunks_of(
        START,
        opened(0, TEXT),
        delta(0, "text_delta", text="Hello"),
        closed(0),
        finished("max_tokens"),
        STOP,
    )
    head = (
        b'data: {"id":"msg_1","object":"chat.completion.chunk",'
        b'"created":1700000000,"model":"claude-x","choices":['
    )

    assert b"".join(map(render.event, chunks)) == (
        head + b'{"index":0,"delta":{"role":"assistant","content":""},'
        b'"logprobs":null,"finish_reason":null}],"usage":null}\n\n'
        + head
        + b'{"index":0,"delta":{"content":"Hello"},'
        b'"logprobs":null,"finish_reason":null}],"usage":null}\n\n'
        + head
        + b'{"index":0,"delta":{},"logprobs":null,"finish_reason":"length"}],'
        b'"usage":null}\n\n'
        + head
        + b'],"usage":{"prompt_tokens":15,"completion_tokens":15,"total_tokens":30,'
        b'"prompt_tokens_details":{"cached_tokens":5,"cache_write_tokens":0},'
        b'"completion_tokens_details":{"reasoning_tokens":0}}}\n\n'
    )
    shown = [strip_usage(chunk) for chunk in chunks]
    assert shown[-1] is None
    assert all("usage" not in chunk for chunk in shown[:-1])


def test_tool_calls_are_counted_apart_from_blocks():
    deltas = deltas_of(
        START,
        opened(0, TEXT),
        delta(0, "text_delta", text="Let me see."),
        closed(0),
        opened(1, tool("toolu_1", "weather")),
        delta(1, "input_json_delta", partial_json=""),
        delta(1, "input_json_delta", partial_json='{"city":'),
        delta(1, "input_json_delta", partial_json='"Paris"}'),
        closed(1),
        opened(2, tool("toolu_2", "now")),
        delta(2, "input_json_delta", partial_json=""),
        closed(2),
        finished("tool_use"),
        STOP,
    )

    def opening(index: int, id_: str, name: str) -> Json:
        function = {"name": name, "arguments": ""}
        return {
            "tool_calls": [
                {"index": index, "id": id_, "type": "function", "function": function}
            ]
        }

    def arguments(index: int, piece: str) -> Json:
        return {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}

    assert deltas[2:] == [
        opening(0, "toolu_1", "weather"),
        arguments(0, '{"city":'),
        arguments(0, '"Paris"}'),
        opening(1, "toolu_2", "now"),
        arguments(1, "{}"),
        {},
    ]


def test_thinking_is_passed_on_as_reasoning_and_at_its_end_with_its_signature():
    deltas = deltas_of(
        START,
        opened(0, {"type": "thinking", "thinking": "", "signature": ""}),
        delta(0, "thinking_delta", thinking="Hm."),
        delta(0, "signature_delta", signature="c2ln"),
        closed(0),
        opened(1, {"type": "redacted_thinking", "data": "xx"}),
        closed(1),
        finished("end_turn"),
        STOP,
    )

    signed = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
    redacted = {"type": "redacted_thinking", "data": "xx"}
    assert deltas[1:] == [
        {"reasoning_content": "Hm."},
        {"thinking_blocks": [{"index": 0, **signed}]},
        {"thinking_blocks": [{"index": 1, **redacted}]},
        {},
    ]


def test_pings_and_unknown_events_say_nothing():
    translator = StreamTranslator()
    translator.feed(START)

    assert translator.feed({"type": "ping"}) == []
    assert translator.feed({"type": "from_next_year", "index": 7}) == []
    assert translator.feed({}) == []


@pytest.mark.parametrize(
    ("totals", "expected"),
    [
        ({}, Usage(15, 15, cached=5)),
        ({"input_tokens": 10, "cache_read_input_tokens": 5}, Usage(15, 15, cached=5)),
        ({"input_tokens": 12, "cache_read_input_tokens": 0}, Usage(12, 15)),
        ({"input_tokens": None}, Usage(15, 15, cached=5)),
    ],
)
def test_the_last_number_of_each_kind_counts_and_none_are_added(
    totals: Json, expected: Usage
):
    builder = CompletionBuilder(1 << 20)
    for chunk in chunks_of(START, finished("end_turn", **totals), STOP):
        builder.add(chunk)

    assert builder.usage == expected


@pytest.mark.parametrize("usage", [None, {"input_tokens": -4, "output_tokens": -4}])
def test_without_believable_usage_there_is_no_usage_chunk(usage: Json | None):
    start = {**START, "message": START["message"] | {"usage": usage}}
    end = finished("end_turn") | {"usage": usage}
    translator = StreamTranslator()
    chunks = [c for event in (start, end, STOP) for c in translator.feed(event)]

    assert [len(chunk["choices"]) for chunk in chunks] == [1, 1]


@pytest.mark.parametrize(
    "events",
    [
        [delta(0, "text_delta", text="Hi")],
        [finished("end_turn")],
        [{"type": "message_start"}],
        [{"type": "message_start", "message": {}}],
        [START, {"type": "content_block_delta", "index": 0}],
        [START, {"type": "content_block_delta", "index": [], "delta": "x"}],
        [START, opened(0, {})],
        [START, {"type": "message_delta"}],
    ],
)
def test_events_that_make_no_sense_are_the_providers_fault(events: list[Json]):
    translator = StreamTranslator()

    with pytest.raises(BadUpstreamResponse):
        for event in events:
            translator.feed(event)


def test_stream_and_whole_message_become_the_same_completion():
    wire = b"".join(
        b"event: %b\ndata: %b\n\n" % (event["type"].encode(), orjson.dumps(event))
        for event in (
            START,
            {"type": "ping"},
            opened(0, TEXT),
            delta(0, "text_delta", text="Let me see."),
            closed(0),
            opened(1, tool("toolu_1", "now")),
            delta(1, "input_json_delta", partial_json='{"zone":"UTC"}'),
            closed(1),
            finished("tool_use"),
            STOP,
        )
    )
    translator, builder = StreamTranslator(), CompletionBuilder(1 << 20)
    state = ChatCompletionStreamState()
    for event in EventParser().feed(wire):
        for chunk in translator.feed(orjson.loads(event.data)):
            builder.add(chunk)
            state.handle_chunk(ChatCompletionChunk.model_validate(chunk))
    whole = START["message"] | {
        "content": [
            {"type": "text", "text": "Let me see."},
            tool("toolu_1", "now") | {"input": {"zone": "UTC"}},
        ],
        "stop_reason": "tool_use",
        "usage": START["message"]["usage"] | {"output_tokens": 15},
    }

    assert builder.completion() == to_completion(whole)
    assert builder.complete
    call = state.get_final_completion().choices[0].message.tool_calls[0]
    assert call.function.arguments == '{"zone":"UTC"}'
