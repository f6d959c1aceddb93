import copy
import json

import orjson
import pytest
from anthropic.types import MessageParam, ToolChoiceParam, ToolParam
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from gateway.dialects.anthropic_request import (
    JSON_INSTRUCTION,
    TRANSLATED,
    to_messages_request,
)
from gateway.dialects.openai import validate_chat
from gateway.errors import BadRequest, NotExpressible
from routing.chat import Json

MODEL = "claude-sonnet-4-6"


def asking(**fields: object) -> Json:
    return {"messages": [{"role": "user", "content": "Hi"}], **fields}


def translated(body: Json, model: str = MODEL) -> Json:
    validate_chat(body)
    before = copy.deepcopy(body)
    request = to_messages_request(body, model, 4096)
    assert body == before
    TypeAdapter(list[MessageParam]).validate_python(request["messages"])
    return request


def test_a_plain_request():
    assert translated(asking(model="auto")) == {
        "model": MODEL,
        "max_tokens": 4096,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
    }


def test_a_request_with_everything_that_can_be_said():
    weather = {
        "name": "weather",
        "description": "Of a city",
        "parameters": {"properties": {"city": {"type": "string"}}},
        "strict": True,
    }
    body = {
        "model": "claude-sonnet",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Weather in Paris?"},
            {"role": "developer", "content": "Be kind."},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 10,
        "max_completion_tokens": 100,
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 40,
        "stop": ["END"],
        "tools": [
            {"type": "function", "function": weather},
            {
                "type": "function",
                "function": {"name": "now"},
                "cache_control": {"type": "ephemeral"},
            },
        ],
        "tool_choice": "auto",
        "parallel_tool_calls": False,
        "user": "u-1",
        "service_tier": "default",
        "metadata": {"label": "x"},
        "prompt_cache_key": "k",
        "n": 1,
        "presence_penalty": 0.0,
        "logprobs": False,
        "logit_bias": {},
        "modalities": ["text"],
        "seed": None,
    }
    request = translated(body)

    assert request == {
        "model": MODEL,
        "max_tokens": 100,
        "system": "Be brief.\n\nBe kind.",
        "messages": [
            {
                "role": "user",
                "content": [{"type": "text", "text": "Weather in Paris?"}],
            }
        ],
        "stream": True,
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 40,
        "stop_sequences": ["END"],
        "tools": [
            {
                "name": "weather",
                "description": "Of a city",
                "strict": True,
                "input_schema": {
                    "type": "object",
                    "properties": {"city": {"type": "string"}},
                },
            },
            {
                "name": "now",
                "input_schema": {"type": "object"},
                "cache_control": {"type": "ephemeral"},
            },
        ],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        "metadata": {"user_id": "u-1"},
        "service_tier": "standard_only",
    }
    TypeAdapter(list[ToolParam]).validate_python(request["tools"])


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"logit_bias": {"1": 5}}, "logit_bias"),
        ({"presence_penalty": 0.1}, "presence_penalty"),
        ({"frequency_penalty": -1}, "frequency_penalty"),
        ({"seed": 42}, "seed"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"audio": {"voice": "alloy", "format": "mp3"}}, "audio"),
        ({"prediction": {"type": "content", "content": "x"}}, "prediction"),
        ({"verbosity": "low"}, "verbosity"),
        ({"web_search_options": {}}, "web_search_options"),
        ({"store": True}, "store"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"function_call": {"name": "f"}}, "function_call"),
        ({"service_tier": "flex"}, "service_tier"),
        ({"from_next_year": {"x": 1}}, "from_next_year"),
        ({"stop": "\n"}, "stop"),
        ({"stop": ["END", ""]}, "stop"),
        ({"response_format": {"type": "xml"}}, "response_format"),
        ({"response_format": {"type": "json_schema"}}, "response_format"),
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools[0].type"),
        ({"tools": [{"type": "function"}]}, "tools[0].type"),
        ({"tools": [{"function": {}}]}, "tools[0].function.name"),
        (
            {"tools": [{"function": {"name": "f", "parameters": "x"}}]},
            "tools[0].function.parameters",
        ),
        ({"reasoning_effort": []}, "reasoning_effort"),
        ({"service_tier": {}}, "service_tier"),
        ({"tool_choice": {"type": "allowed_tools"}}, "tool_choice"),
        ({"tool_choice": "any"}, "tool_choice"),
    ],
)
def test_what_anthropic_cannot_do_is_refused_by_name(fields: Json, param: str):
    body = asking(**fields)
    validate_chat(body)

    with pytest.raises(NotExpressible) as refusal:
        to_messages_request(body, MODEL, 4096)

    assert refusal.value.param == param
    assert refusal.value.code == "unsupported_parameter"


@pytest.mark.parametrize(("asked", "sent"), [(0, 0), (0.7, 0.7), (1, 1), (1.8, 1)])
def test_temperature_ends_at_one(asked: float, sent: float):
    assert translated(asking(temperature=asked))["temperature"] == sent


def test_no_temperature_is_invented():
    assert "temperature" not in translated(asking())


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", {"type": "auto"}),
        ("none", {"type": "none"}),
        ("required", {"type": "any"}),
        (
            {"type": "function", "function": {"name": "now"}},
            {"type": "tool", "name": "now"},
        ),
    ],
)
def test_tool_choices(choice: object, expected: Json):
    tools = [{"type": "function", "function": {"name": "now"}}]
    request = translated(asking(tools=tools, tool_choice=choice))
    alone = translated(
        asking(tools=tools, tool_choice=choice, parallel_tool_calls=False)
    )

    assert request["tool_choice"] == expected
    single = {} if choice == "none" else {"disable_parallel_tool_use": True}
    assert alone["tool_choice"] == expected | single
    TypeAdapter(ToolChoiceParam).validate_python(alone["tool_choice"])


@pytest.mark.parametrize("choice", ["auto", "none"])
def test_a_choice_among_no_tools_is_not_sent(choice: str):
    assert "tool_choice" not in translated(
        asking(tool_choice=choice, parallel_tool_calls=False)
    )


def test_a_schema_becomes_the_output_format():
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    wanted = {"name": "answer", "schema": schema, "strict": True}
    request = translated(
        asking(response_format={"type": "json_schema", "json_schema": wanted})
    )

    assert request["output_config"] == {
        "format": {"type": "json_schema", "schema": schema}
    }


def test_json_mode_is_asked_for_in_the_system_prompt():
    wanted = {"type": "json_object"}
    body = asking(response_format=wanted)
    body["messages"].insert(0, {"role": "system", "content": "Be brief."})

    assert translated(asking(response_format=wanted))["system"] == JSON_INSTRUCTION
    assert translated(body)["system"] == f"Be brief.\n\n{JSON_INSTRUCTION}"


def test_cache_marks_keep_the_system_prompt_in_blocks():
    marked = {
        "type": "text",
        "text": "Long rules.",
        "cache_control": {"type": "ephemeral", "ttl": "1h"},
    }
    body = asking()
    body["messages"].insert(0, {"role": "system", "content": [marked]})
    body["messages"].insert(1, {"role": "system", "content": "Be brief."})

    assert translated(body)["system"] == [marked, {"type": "text", "text": "Be brief."}]


def test_text_as_the_response_format_asks_for_nothing():
    assert translated(asking(response_format={"type": "text"})) == translated(asking())


WORDS = st.sampled_from(
    ["user", "assistant", "tool", "system", "text", "image_url", "file", "function"]
    + ["type", "role", "content", "name", "url", "arguments", "tool_call_id", "id"]
    + ["tool_calls", "parameters", "cache_control", "json_schema", "schema", "{}", ""]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(
    fields=st.dictionaries(
        st.sampled_from(sorted(TRANSLATED - {"messages"})), ANYTHING, max_size=4
    ),
    message=st.dictionaries(WORDS, ANYTHING, max_size=4),
    role=st.sampled_from(["user", "assistant", "tool", "system"]),
)
def test_no_body_is_worse_than_a_bad_request(fields: Json, message: Json, role: str):
    body = asking(**fields)
    body["messages"].append(message | {"role": role})
    try:
        validate_chat(body)
        request = to_messages_request(body, "claude-haiku-4-5", 4096)
    except BadRequest as refusal:
        assert refusal.param
        return

    assert json.loads(orjson.dumps(request)) == request
