"""Anthropic's events fold into a message, and a message unfolds into events."""

import orjson
import pytest
from anthropic.types import RawMessageStreamEvent
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from gateway.api.render import named_event
from gateway.dialects.anthropic_response import to_completion
from gateway.dialects.anthropic_stream import StreamTranslator
from gateway.dialects.messages_builder import MessageBuilder, says_nothing
from gateway.dialects.messages_replay import message_to_events
from gateway.dialects.openai import CompletionBuilder
from gateway.errors import BadUpstreamResponse, UpstreamOverloaded
from gateway.providers.anthropic import StreamReader
from routing.chat import Json, Usage

CITATION = {
    "type": "char_location",
    "cited_text": "x",
    "document_index": 0,
    "document_title": None,
    "start_char_index": 0,
    "end_char_index": 1,
}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x",
    "content": [
        {"type": "thinking", "thinking": "Hm, " * 40, "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "xx"},
        {"type": "text", "text": "Let me look. " * 20, "citations": [CITATION]},
        {
            "type": "server_tool_use",
            "id": "s1",
            "name": "web_search",
            "input": {"q": 1},
        },
        {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []},
        {"type": "tool_use", "id": "t1", "name": "now", "input": {}},
        {"type": "tool_use", "id": "t2", "name": "at", "input": {"city": "Zürich"}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 10,
        "cache_creation_input_tokens": 2,
        "cache_read_input_tokens": 5,
        "output_tokens": 15,
        "service_tier": "standard",
    },
}


def built(events: list[Json], max_bytes: int = 1 << 20) -> MessageBuilder:
    builder = MessageBuilder(max_bytes)
    for event in events:
        builder.add(event)
    return builder


def delta(index: int, kind: str, **fields: object) -> Json:
    return {
        "type": "content_block_delta",
        "index": index,
        "delta": {"type": kind, **fields},
    }


START, *_ = message_to_events(MESSAGE)
TEXT = {"type": "text", "text": ""}
OPEN = {"type": "content_block_start", "index": 0, "content_block": TEXT}
END = {
    "type": "message_delta",
    "delta": {"stop_reason": "end_turn", "stop_sequence": None},
    "usage": {"output_tokens": 15},
}


def test_a_message_unfolds_into_events_and_folds_back_untouched():
    events = list(message_to_events(MESSAGE))
    for event in events:
        TypeAdapter(RawMessageStreamEvent).validate_python(event)
    builder = built(events)

    assert builder.answer() == MESSAGE
    assert builder.complete
    assert builder.usage == Usage(17, 15, cached=5, cache_write=2)


def test_the_common_form_is_that_of_the_whole_message():
    expected = to_completion(MESSAGE)["choices"][0]["message"]
    choice = built(list(message_to_events(MESSAGE))).completion()["choices"][0]

    assert choice["message"] == expected
    assert choice["finish_reason"] == "tool_calls"


def test_what_was_cut_off_has_a_common_form_too():
    builder = built([START, OPEN, delta(0, "text_delta", text="Hel")])

    assert not builder.complete
    (choice,) = builder.completion()["choices"]
    assert choice["message"]["content"] == "Hel"
    assert choice["finish_reason"] is None


def test_fields_that_are_new_to_us_are_kept():
    start = {**START, "message": {**START["message"], "container": {"id": "c"}}}
    end = {**END, "context_management": {"applied_edits": []}}
    end["delta"] = {**END["delta"], "from_next_year": 1}
    answer = built([start, END | end]).answer()

    assert answer["container"] == {"id": "c"}
    assert answer["context_management"] == {"applied_edits": []}
    assert answer["from_next_year"] == 1
    assert built(list(message_to_events(answer))).answer() == answer


def test_a_delta_that_is_new_to_us_makes_the_message_incomplete_but_not_wrong():
    """Passed on as it is, it can't be put together here: such an answer isn't kept."""
    builder = built([START, OPEN, delta(0, "dance_delta", step=1), END])

    assert builder.overflowed
    assert builder.complete
    assert builder.usage is not None


def test_a_message_beyond_the_bound_is_not_kept_and_still_counted():
    text = delta(0, "text_delta", text="x" * 1000)
    builder = built([START, OPEN, *[text] * 100, END], max_bytes=5000)

    assert builder.overflowed
    assert len(orjson.dumps(builder.answer())) < 10_000
    assert builder.usage == Usage(17, 15, cached=5, cache_write=2)


def test_input_that_is_no_json_is_kept_as_what_it_is():
    tool = {"type": "tool_use", "id": "t", "name": "x", "input": {}}
    cut = delta(0, "input_json_delta", partial_json='{"a": [1,')
    builder = built([START, {**OPEN, "content_block": tool}, cut])

    assert builder.answer()["content"][0]["input"] == {"INVALID_JSON": '{"a": [1,'}


@pytest.mark.parametrize(
    "events",
    [
        [OPEN],
        [END],
        [START, START],
        [START, {"type": "message_stop"}],
        [{"type": "message_start"}],
        [START, {**OPEN, "index": 3}],
        [START, {**OPEN, "content_block": {}}],
        [START, delta(0, "text_delta", text="x")],
        [START, OPEN, delta(0, "text_delta")],
        [START, OPEN, delta(0, "text_delta", text=7)],
        [START, {"type": "message_delta"}],
    ],
)
def test_events_that_make_no_sense_are_the_providers_fault(events: list[Json]):
    with pytest.raises(BadUpstreamResponse):
        built(events)


def test_what_only_announces_an_answer_can_still_be_taken_back():
    quiet = [START, {"type": "ping"}, OPEN, delta(0, "text_delta", text="")]
    tool = {"type": "tool_use", "id": "t", "name": "x", "input": {}}

    assert all(says_nothing(event) for event in quiet)
    assert not says_nothing({**OPEN, "content_block": tool})
    assert not says_nothing(delta(0, "thinking_delta", thinking="Hm"))
    assert not says_nothing(END)
    assert not says_nothing({"type": "from_next_year"})


def test_an_error_event_is_what_it_says():
    reader = StreamReader()
    error = {"type": "overloaded_error", "message": "Overloaded"}
    list(reader.feed(named_event({"type": "error", "error": error})))

    assert isinstance(reader.error, UpstreamOverloaded)
    assert not reader.ended


@given(st.lists(st.integers(0, 4000), max_size=12), st.sampled_from([b"\n", b"\r\n"]))
def test_any_cutting_of_the_same_bytes_gives_the_same_events(cuts, line_end):
    events = list(message_to_events(MESSAGE))
    wire = b"".join(map(named_event, events)).replace(b"\n", line_end)
    reader, read, at = StreamReader(), [], 0
    for cut in [*sorted(cuts), len(wire)]:
        read += reader.feed(wire[at:cut])
        at = max(at, cut)

    assert read == events
    assert reader.ended


texts = st.text(max_size=200)
inputs = st.dictionaries(st.text(max_size=5), st.integers(-9, 9) | texts, max_size=3)
blocks = st.one_of(
    st.builds(lambda t: {"type": "text", "text": t}, texts),
    st.builds(
        lambda t, s: {"type": "thinking", "thinking": t, "signature": s}, texts, texts
    ),
    st.builds(lambda d: {"type": "redacted_thinking", "data": d}, texts),
    st.builds(
        lambda n, i: {"type": "tool_use", "id": f"t{n}", "name": "x", "input": i},
        st.integers(0, 99),
        inputs,
    ),
)


@given(st.lists(blocks, max_size=5))
def test_any_message_survives_being_streamed_and_translated(content):
    message = {**MESSAGE, "content": content, "stop_reason": "end_turn"}
    events = list(message_to_events(message))
    translator, common = StreamTranslator(), CompletionBuilder(1 << 20)
    for event in events:
        for chunk in translator.feed(event):
            common.add(chunk)

    assert built(events).answer() == message
    streamed = common.completion()["choices"][0]
    whole = to_completion(message)["choices"][0]
    assert streamed["finish_reason"] == whole["finish_reason"]
    for field in ("reasoning_content", "tool_calls"):
        assert streamed["message"].get(field) == whole["message"].get(field) or not (
            whole["message"].get(field)
        )
    assert (streamed["message"]["content"] or "") == (whole["message"]["content"] or "")
