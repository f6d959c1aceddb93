import json

import pytest
from anthropic.types import Message
from openai.types.chat import ChatCompletion

from gateway.dialects.anthropic_response import to_completion
from gateway.dialects.openai import usage_of
from gateway.errors import BadUpstreamResponse
from routing.chat import Json, Usage

USAGE = {
    "input_tokens": 10,
    "cache_creation_input_tokens": 300,
    "cache_read_input_tokens": 2000,
    "output_tokens": 50,
    "output_tokens_details": {"thinking_tokens": 20},
    "service_tier": "standard",
}


def message(*content: Json, stop: str | None = "end_turn", **fields: object) -> Json:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-x",
        "content": list(content),
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": USAGE,
        **fields,
    }


def translated(body: Json) -> Json:
    Message.model_validate(body)
    completion = to_completion(body, created=1700000000)
    ChatCompletion.model_validate(completion)
    return completion


def text(value: str) -> Json:
    return {"type": "text", "text": value}


def test_a_plain_answer():
    assert translated(
        message(text("Hello.")),
    ) == {
        "id": "msg_1",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "claude-x",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello.", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 2310,
            "completion_tokens": 50,
            "total_tokens": 2360,
            "prompt_tokens_details": {
                "cached_tokens": 2000,
                "cache_write_tokens": 300,
            },
            "completion_tokens_details": {"reasoning_tokens": 20},
        },
    }


def test_thoughts_texts_and_tool_calls_find_their_places():
    completion = translated(
        message(
            {"type": "thinking", "thinking": "Hm. ", "signature": "c2ln"},
            {"type": "redacted_thinking", "data": "xxx"},
            text("Let me "),
            text("look."),
            {
                "type": "tool_use",
                "id": "toolu_1",
                "name": "weather",
                "input": {"city": "Zürich", "days": 2},
            },
            {"type": "tool_use", "id": "toolu_2", "name": "now", "input": {}},
            stop="tool_use",
        )
    )
    choice = completion["choices"][0]

    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] == "Let me look."
    assert choice["message"]["reasoning_content"] == "Hm. "
    assert choice["message"]["thinking_blocks"] == [
        {"type": "thinking", "thinking": "Hm. ", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "xxx"},
    ]
    calls = choice["message"]["tool_calls"]
    assert [call["id"] for call in calls] == ["toolu_1", "toolu_2"]
    assert calls[0]["function"]["name"] == "weather"
    assert json.loads(calls[0]["function"]["arguments"]) == {
        "city": "Zürich",
        "days": 2,
    }
    assert calls[1]["function"]["arguments"] == "{}"


def test_calls_without_text_have_null_content():
    call = {"type": "tool_use", "id": "toolu_1", "name": "now", "input": {}}
    answer = translated(message(call, stop="tool_use"))["choices"][0]["message"]
    silence = translated(message())["choices"][0]["message"]

    assert answer["content"] is None
    assert silence["content"] == ""


@pytest.mark.parametrize(
    ("stop", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("pause_turn", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
    ],
)
def test_stop_reasons(stop: str, finish: str):
    assert translated(message(stop=stop))["choices"][0]["finish_reason"] == finish


def test_a_stop_reason_that_is_new_is_passed_on():
    completion = to_completion(message(stop="from_next_year"))

    assert completion["choices"][0]["finish_reason"] == "from_next_year"


def test_a_vendor_that_ends_its_turn_with_a_tool_call_is_understood():
    call = {"type": "tool_use", "id": "toolu_1", "name": "now", "input": {}}
    choice = translated(message(call, stop="end_turn"))["choices"][0]

    assert choice["finish_reason"] == "tool_calls"


def test_a_refusal_is_explained_when_anthropic_does():
    details = {"type": "refusal", "category": "bio", "explanation": "Too dangerous."}
    choice = translated(message(stop="refusal", stop_details=details))["choices"][0]

    assert choice["message"]["refusal"] == "Too dangerous."


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (USAGE, Usage(2310, 50, cached=2000, cache_write=300, reasoning=20)),
        ({"input_tokens": 0, "output_tokens": 0}, Usage(0, 0)),
        (
            {
                "input_tokens": 7,
                "output_tokens": 1,
                "cache_creation_input_tokens": None,
                "output_tokens_details": None,
            },
            Usage(7, 1),
        ),
        (None, None),
        ({}, None),
        ({"input_tokens": -1, "output_tokens": 5}, None),
        ({"input_tokens": 5, "output_tokens": 10**15}, None),
        ({"output_tokens": 5}, None),
    ],
)
def test_usage_counts_what_the_cache_read_and_wrote_as_prompt(
    usage: Json | None, expected: Usage | None
):
    assert usage_of(to_completion(message(text("Hi"), usage=usage))) == expected


@pytest.mark.parametrize(
    "body",
    [
        {},
        message(stop=None),
        message() | {"content": None},
        message("text"),
        message({"type": "text"}),
        message({"type": "tool_use", "name": "f", "input": {}}),
        message(stop_details="x"),
    ],
)
def test_what_is_no_finished_message_is_the_providers_fault(body: Json):
    with pytest.raises(BadUpstreamResponse):
        to_completion(body)
