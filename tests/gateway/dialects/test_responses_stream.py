"""Chunks as events of a response: whole items, rising numbers, whatever the pieces."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialects.responses_events import response_to_events
from gateway.dialects.responses_response import to_response
from gateway.dialects.responses_stream import ResponseTranslator
from gateway.errors import BadUpstreamResponse
from gateway.providers.responses import StreamReader
from routing.chat import Json, Usage

USAGE = Usage(prompt=7, completion=5, cached=2, reasoning=1)
WANTS = {"include": ["reasoning.encrypted_content"]}
words = st.text(min_size=1, max_size=6)
deltas = st.lists(
    st.one_of(
        st.builds(lambda text: {"content": text}, words),
        st.builds(lambda text: {"reasoning_content": text}, words),
        st.builds(lambda text: {"refusal": text}, words),
        st.builds(
            lambda index, text: {
                "tool_calls": [
                    {
                        "index": index,
                        "id": f"call_{index}",
                        "function": {"name": f"f{index}", "arguments": text},
                    }
                ]
            },
            st.integers(0, 2),
            words,
        ),
    ),
    max_size=12,
)


def chunk(delta: Json, finish: str | None = None) -> Json:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c1", "created": 5, "model": "m", "choices": [choice]}


def translated(pieces: list[Json], finish: str = "stop") -> list[Json]:
    translator = ResponseTranslator(WANTS, 1)
    events = []
    for piece in [{"role": "assistant", "content": ""}, *pieces]:
        events += translator.feed(chunk(piece))
    events += translator.feed(chunk({}, finish))
    events += translator.feed({"choices": [], "usage": {"prompt_tokens": 7}})
    return events + translator.finish(USAGE)


def added_up(events: list[Json]) -> list[Json]:
    """The items as a client puts them together from the pieces."""
    items: dict[int, Json] = {}
    for event in events:
        at = event.get("output_index")
        match event["type"]:
            case "response.output_item.added":
                assert at == len(items)  # one after the other
                items[at] = {**event["item"], "status": "completed"}
            case "response.content_part.added":
                assert event["content_index"] == len(items[at]["content"])
                items[at]["content"] = [*items[at]["content"], dict(event["part"])]
            case "response.output_text.delta":
                items[at]["content"][event["content_index"]]["text"] += event["delta"]
            case "response.refusal.delta":
                part = items[at]["content"][event["content_index"]]
                part["refusal"] += event["delta"]
            case "response.reasoning_summary_part.added":
                items[at]["summary"] = [dict(event["part"])]
            case "response.reasoning_summary_text.delta":
                items[at]["summary"][0]["text"] += event["delta"]
            case "response.function_call_arguments.delta":
                items[at]["arguments"] += event["delta"]
    for item in items.values():
        if item["type"] == "reasoning":
            del item["status"]  # which reasoning has none of
    return [items[at] for at in sorted(items)]


def check(events: list[Json]) -> Json:
    """What holds for every stream; returns the response at its end."""
    assert [e["sequence_number"] for e in events] == list(range(len(events)))
    kinds = [event["type"] for event in events]
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds[-1] in ("response.completed", "response.incomplete")
    assert kinds.count("response.created") == 1
    final = events[-1]["response"]
    assert f"response.{final['status']}" == kinds[-1]
    assert {e["response"]["id"] for e in events if "response" in e} == {final["id"]}
    assert added_up(events) == final["output"]
    done = {
        event["output_index"]: event["item"]
        for event in events
        if event["type"] == "response.output_item.done"
    }
    assert [done[at] for at in sorted(done)] == final["output"]
    for before, after in (("added", "done"),):
        for part in ("output_item", "content_part", "reasoning_summary_part"):
            begun = kinds.count(f"response.{part}.{before}")
            assert begun == kinds.count(f"response.{part}.{after}")
    return final


@given(deltas, st.sampled_from(["stop", "length", "tool_calls", "content_filter"]))
def test_whatever_the_pieces_the_stream_is_well_formed(pieces: list[Json], finish: str):
    final = check(translated(pieces, finish))

    said = "".join(piece.get("content", "") for piece in pieces)
    parts = [p for i in final["output"] if i["type"] == "message" for p in i["content"]]
    texts = [part["text"] for part in parts if part["type"] == "output_text"]
    assert "".join(texts) == said
    assert final["usage"]["total_tokens"] == 12
    assert final["usage"]["input_tokens_details"]["cached_tokens"] == 2


@given(deltas)
def test_a_replay_says_what_the_stream_said(pieces: list[Json]):
    final = check(translated(pieces))
    events = list(response_to_events(final))

    assert [e["sequence_number"] for e in events] == list(range(len(events)))
    assert events[-1]["response"] == final
    done = [e["item"] for e in events if e["type"] == "response.output_item.done"]
    assert done == final["output"]


def test_signed_thoughts_ride_along_only_when_asked_for():
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
    pieces = [
        {"reasoning_content": "Hm."},
        {"thinking_blocks": [{"index": 0, **thought}]},
        {"content": "Hi"},
    ]
    (reasoning, _) = translated(pieces)[-1]["response"]["output"]
    message = {
        "content": "Hi",
        "reasoning_content": "Hm.",
        "thinking_blocks": [thought],
    }
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    completion = {"id": "c1", "created": 5, "model": "m", "choices": [choice]}
    whole = to_response(completion, USAGE, WANTS, 1)
    silent = to_response(completion, USAGE, {}, 1)

    assert reasoning["encrypted_content"].startswith("llm-router:")
    assert whole["output"][0] == reasoning
    assert "encrypted_content" not in silent["output"][0]


@pytest.mark.parametrize(
    "bad",
    [
        {"choices": [1]},
        {"choices": [{"delta": {"content": 3}}]},
        {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {}}]}}]},
        {"choices": [{"delta": {"tool_calls": 1}}]},
    ],
)
def test_malformed_chunks_are_the_providers_fault(bad: Json):
    translator = ResponseTranslator({}, 1)
    with pytest.raises(BadUpstreamResponse):
        translator.feed(bad)


def test_a_stream_without_an_answer_is_the_providers_fault():
    with pytest.raises(BadUpstreamResponse):
        ResponseTranslator({}, 1).finish(USAGE)


STREAM = b"".join(
    b"event: %b\ndata: %b\n\n" % (event["type"].encode(), orjson.dumps(event))
    for event in translated([{"content": "é "}, {"content": "漢字"}])
)


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_however_the_bytes_are_cut_the_events_are_the_same(cuts: list[int]):
    reader, events = StreamReader(), []
    edges = [0, *sorted(cuts), len(STREAM)]
    for start, end in zip(edges, edges[1:], strict=False):
        events += reader.feed(STREAM[start:end])

    assert reader.ended
    assert events == translated([{"content": "é "}, {"content": "漢字"}])
