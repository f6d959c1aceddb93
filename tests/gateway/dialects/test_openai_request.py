import pytest

from gateway.dialects.openai import validate_chat
from gateway.errors import BadRequest
from routing.chat import Json
from routing.features import extract


def asking(**fields: object) -> Json:
    return {"messages": [{"role": "user", "content": "Hi"}], **fields}


def saying(**fields: object) -> Json:
    return {"messages": [{"role": "user", "content": "Hi", **fields}]}


def test_a_request_with_everything_is_accepted():
    validate_chat(
        {
            "model": "auto",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {
                    "role": "developer",
                    "content": [{"type": "text", "text": "Be kind."}],
                },
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is this?"},
                        {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
                        {"type": "from_next_year", "anything": {}},
                    ],
                },
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {
                            "id": "call_1",
                            "type": "function",
                            "function": {"name": "look", "arguments": "{}"},
                        },
                        {"id": "call_2", "type": "custom", "custom": {"input": "x"}},
                    ],
                },
                {"role": "tool", "tool_call_id": "call_1", "content": "A cat."},
            ],
            "stream": True,
            "stream_options": {"include_usage": True, "include_obfuscation": False},
            "temperature": 0.5,
            "top_p": 1,
            "presence_penalty": -2,
            "n": 1,
            "max_tokens": 1,
            "max_completion_tokens": 2**31 - 1,
            "stop": ["a", "b", "c", "d"],
            "tools": [{"type": "function", "function": {"name": "look"}}],
            "response_format": {"type": "json_object"},
            "logit_bias": {"50256": -100},
            "user": "u-1",
            "from_next_year": {"kept": True},
        }
    )


@pytest.mark.parametrize(
    "field",
    ["model", "stream", "stream_options", "temperature", "n", "stop", "tools", "user"],
)
def test_null_is_the_same_as_absent(field: str):
    validate_chat(asking(**{field: None}))


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": {"role": "user"}}, "messages"),
        ({"messages": [{"role": "user", "content": "Hi"}] * 2049}, "messages"),
        ({"messages": ["Hi"]}, "messages[0]"),
        ({"messages": [{"content": "Hi"}]}, "messages[0].role"),
        (saying(role="root"), "messages[0].role"),
        (saying(role=["user"]), "messages[0].role"),
        (saying(content=7), "messages[0].content"),
        (saying(content={"type": "text"}), "messages[0].content"),
        (saying(content=["Hi"]), "messages[0].content[0]"),
        (saying(content=[{"text": "Hi"}]), "messages[0].content[0].type"),
        (saying(content=[{"type": "text"}]), "messages[0].content[0].text"),
        (saying(content=[{"type": "text", "text": 7}]), "messages[0].content[0].text"),
        (saying(content=[{"type": "x", "text": 7}]), "messages[0].content[0].text"),
        (saying(tool_calls="f"), "messages[0].tool_calls"),
        (saying(tool_calls=["f"]), "messages[0].tool_calls[0]"),
        (saying(tool_calls=[{"function": 1}]), "messages[0].tool_calls[0].function"),
        (
            saying(tool_calls=[{"function": {"arguments": {}}}]),
            "messages[0].tool_calls[0].function.arguments",
        ),
        (saying(function_call="f"), "messages[0].function_call"),
        (saying(function_call={"name": 7}), "messages[0].function_call.name"),
        (asking(model=7), "model"),
        (asking(model="m" * 201), "model"),
        (asking(model="a\0b"), "model"),
        (asking(stream="yes"), "stream"),
        (asking(stream=1), "stream"),
        (asking(stream_options=[]), "stream_options"),
        (asking(stream_options={"include_usage": 1}), "stream_options.include_usage"),
        (asking(temperature=True), "temperature"),
        (asking(temperature="1"), "temperature"),
        (asking(temperature=2.1), "temperature"),
        (asking(temperature=-0.1), "temperature"),
        (asking(top_p=1.1), "top_p"),
        (asking(frequency_penalty=3), "frequency_penalty"),
        (asking(n=0), "n"),
        (asking(n=129), "n"),
        (asking(n=True), "n"),
        (asking(n=1.0), "n"),
        (asking(max_tokens=0), "max_tokens"),
        (asking(max_tokens=-1), "max_tokens"),
        (asking(max_tokens=2**31), "max_tokens"),
        (asking(max_completion_tokens="9"), "max_completion_tokens"),
        (asking(stop=7), "stop"),
        (asking(stop=["a", 7]), "stop"),
        (asking(stop=["a"] * 5), "stop"),
        (asking(tools={}), "tools"),
        (asking(tools=["f"]), "tools[0]"),
        (asking(tools=[{}] * 513), "tools"),
        (asking(functions="f"), "functions"),
        (asking(response_format="json"), "response_format"),
        (asking(response_format={}), "response_format.type"),
        (asking(logit_bias=[]), "logit_bias"),
        (asking(modalities="audio"), "modalities"),
        (asking(user=7), "user"),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(body: Json, param: str):
    with pytest.raises(BadRequest) as refusal:
        validate_chat(body)

    assert refusal.value.param == param
    assert param.split("[")[0] in refusal.value.message


def test_what_passes_can_be_counted():
    body = saying(
        role="assistant",
        content=[{"type": "text", "text": "a"}, {"type": "refusal", "refusal": None}],
        tool_calls=[{"function": None}, {"function": {"name": None}}],
        function_call={"arguments": "{}"},
    )
    validate_chat(body)

    assert extract(body).prompt_tokens > 0
