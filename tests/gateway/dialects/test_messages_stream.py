"""Chunks become events; the streams are written out as their literal bytes."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.api.render import named_event
from gateway.dialects.messages_response import to_message
from gateway.dialects.messages_stream import EventTranslator
from gateway.dialects.openai_replay import completion_to_chunks
from gateway.errors import BadUpstreamResponse
from routing.chat import Json, Usage
from tests.gateway.dialects.messages_events import (
    HEAD,
    ROLE,
    USAGE,
    chunk,
    events_of,
    message_of,
    piece,
)


def test_a_plain_stream_to_the_byte():
    events = events_of(
        chunk(ROLE),
        chunk({"content": "Hel"}),
        chunk({"content": "lo"}),
        chunk({}, "stop"),
        {**HEAD, "choices": [], "usage": {"prompt_tokens": 12}},
    )

    assert b"".join(map(named_event, events)) == (
        b"event: message_start\n"
        b'data: {"type":"message_start","message":{"id":"msg_chatcmpl-1",'
        b'"type":"message","role":"assistant","model":"gpt-x","content":[],'
        b'"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":10,'
        b'"cache_creation_input_tokens":0,"cache_read_input_tokens":0,'
        b'"output_tokens":1,"output_tokens_details":{"thinking_tokens":0}}}}\n\n'
        b"event: content_block_start\n"
        b'data: {"type":"content_block_start","index":0,'
        b'"content_block":{"type":"text","text":""}}\n\n'
        b"event: content_block_delta\n"
        b'data: {"type":"content_block_delta","index":0,'
        b'"delta":{"type":"text_delta","text":"Hel"}}\n\n'
        b"event: content_block_delta\n"
        b'data: {"type":"content_block_delta","index":0,'
        b'"delta":{"type":"text_delta","text":"lo"}}\n\n'
        b"event: content_block_stop\n"
        b'data: {"type":"content_block_stop","index":0}\n\n'
        b"event: message_delta\n"
        b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn",'
        b'"stop_sequence":null},"usage":{"input_tokens":12,'
        b'"cache_creation_input_tokens":0,"cache_read_input_tokens":0,'
        b'"output_tokens":5,"output_tokens_details":{"thinking_tokens":0}}}\n\n'
        b"event: message_stop\n"
        b'data: {"type":"message_stop"}\n\n'
    )


def test_thoughts_text_and_a_call_to_the_byte():
    events = events_of(
        chunk({**ROLE, "reasoning_content": "Hm."}),
        chunk({"content": "Let me see."}),
        piece(0, id="call_1", type="function", name="weather"),
        piece(0, '{"city":'),
        piece(0, '"Rome"}'),
        chunk({}, "tool_calls"),
        thoughts=True,
    )

    assert b"".join(map(named_event, events[1:-2])) == (
        b"event: content_block_start\n"
        b'data: {"type":"content_block_start","index":0,"content_block":'
        b'{"type":"thinking","thinking":"","signature":""}}\n\n'
        b"event: content_block_delta\n"
        b'data: {"type":"content_block_delta","index":0,"delta":'
        b'{"type":"thinking_delta","thinking":"Hm."}}\n\n'
        b"event: content_block_stop\n"
        b'data: {"type":"content_block_stop","index":0}\n\n'
        b"event: content_block_start\n"
        b'data: {"type":"content_block_start","index":1,"content_block":'
        b'{"type":"text","text":""}}\n\n'
        b"event: content_block_delta\n"
        b'data: {"type":"content_block_delta","index":1,"delta":'
        b'{"type":"text_delta","text":"Let me see."}}\n\n'
        b"event: content_block_stop\n"
        b'data: {"type":"content_block_stop","index":1}\n\n'
        b"event: content_block_start\n"
        b'data: {"type":"content_block_start","index":2,"content_block":'
        b'{"type":"tool_use","id":"call_1","name":"weather","input":{}}}\n\n'
        b"event: content_block_delta\n"
        b'data: {"type":"content_block_delta","index":2,"delta":'
        b'{"type":"input_json_delta","partial_json":"{\\"city\\":"}}\n\n'
        b"event: content_block_delta\n"
        b'data: {"type":"content_block_delta","index":2,"delta":'
        b'{"type":"input_json_delta","partial_json":"\\"Rome\\"}"}}\n\n'
        b"event: content_block_stop\n"
        b'data: {"type":"content_block_stop","index":2}\n\n'
    )
    assert events[-2]["delta"]["stop_reason"] == "tool_use"


def test_reasoning_of_who_did_not_ask_for_thinking_opens_no_block():
    events = events_of(
        chunk({**ROLE, "reasoning": "Hm."}), chunk({"content": "Yes"}, "stop")
    )

    assert message_of(events)["content"] == [{"type": "text", "text": "Yes"}]


def test_a_note_before_the_answer_does_not_start_the_message():
    """Azure's first chunk tells of its filters, and has neither id nor model."""
    note = {"id": "", "model": "", "choices": [], "prompt_filter_results": [{}]}
    events = events_of(note, chunk(ROLE), chunk({"content": "Hi"}, "stop"))

    assert events[0]["message"]["id"] == "msg_chatcmpl-1"


def test_the_last_usage_counts_and_nothing_is_added_up():
    """litellm's bug 9812 counted the start's tokens twice."""
    usage = Usage(prompt=100, completion=20, cached=90)
    events = events_of(chunk(ROLE), chunk({"content": "Hi"}, "stop"), usage=usage)
    counted = message_of(events)["usage"]

    assert counted["input_tokens"] == 10
    assert counted["cache_read_input_tokens"] == 90
    assert counted["output_tokens"] == 20


def test_a_refusal_is_text_and_a_reason_to_stop():
    events = events_of(chunk(ROLE), chunk({"refusal": "No."}), chunk({}, "stop"))

    assert message_of(events)["content"] == [{"type": "text", "text": "No."}]
    assert events[-2]["delta"]["stop_reason"] == "refusal"


def test_an_answer_of_nothing_has_no_block():
    events = events_of(chunk(ROLE), chunk({}, "length"))

    assert [event["type"] for event in events] == [
        "message_start",
        "message_delta",
        "message_stop",
    ]


@pytest.mark.parametrize(
    "chunks",
    [
        [{"choices": "x"}],
        [chunk({"content": 7})],
        [chunk({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]})],
        [chunk({"tool_calls": [{"index": [], "function": {"name": "x"}}]})],
        [
            piece(0, "{", id="c0", name="one"),
            chunk({"content": "Well."}),
            piece(0, "}"),
        ],
    ],
)
def test_chunks_that_make_no_sense_are_the_providers_fault(chunks: list[Json]):
    translator = EventTranslator(10, thoughts=True, names={})

    with pytest.raises(BadUpstreamResponse):
        for each in chunks:
            translator.feed(each)


def test_a_stream_without_an_answer_is_the_providers_fault():
    with pytest.raises(BadUpstreamResponse):
        EventTranslator(10, thoughts=False, names={}).finish(Usage())


arguments = st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=3)

calls = st.lists(
    st.builds(
        lambda name, args, number: {
            "id": f"call_{number}",
            "type": "function",
            "function": {"name": name, "arguments": orjson.dumps(args).decode()},
        },
        st.text("abc", min_size=1, max_size=5),
        arguments,
        st.uuids(),
    ),
    max_size=3,
)


@given(
    st.text(max_size=300),
    st.text(max_size=100),
    calls,
    st.sampled_from(["stop", "length", "tool_calls", "content_filter"]),
    st.booleans(),
)
def test_a_stream_and_the_whole_answer_become_the_same_message(
    content, reasoning, tool_calls, finish, thoughts
):
    message = {"role": "assistant", "content": content or None}
    if reasoning:
        message["reasoning_content"] = reasoning
    if tool_calls:
        message["tool_calls"] = tool_calls
    choice = {"index": 0, "message": message, "finish_reason": finish}
    completion = {**HEAD, "choices": [choice]}
    events = events_of(
        *completion_to_chunks(completion, include_usage=True), thoughts=thoughts
    )

    whole = to_message(completion, USAGE, thoughts=thoughts, names={})
    assert message_of(events) == whole


def test_a_vendor_may_tell_which_stop_sequence_ended_a_stream():
    last = chunk({}, "stop")
    last["choices"][0]["stop_reason"] = "END"
    *_, ended, _ = events_of(chunk(ROLE), chunk({"content": "Hi"}), last)

    assert ended["delta"] == {"stop_reason": "stop_sequence", "stop_sequence": "END"}
