"""What a client of Anthropic's asks, in OpenAI's words."""

import pytest

from routing.chat import Json
from routing.features import extract
from tests.gateway.dialects.messages_bodies import (
    PDF,
    PNG,
    WEATHER,
    asking,
    text,
    translated,
    user,
)


def test_a_plain_request_is_what_a_client_of_openais_would_send():
    assert translated(asking()) == {
        "model": "auto",
        "max_tokens": 10,
        "messages": [{"role": "user", "content": "Hi"}],
    }
    assert translated(asking(user(text("Hi")))) == translated(asking())


def test_a_request_with_everything_that_can_be_said():
    chat = translated(
        asking(
            system=[text("Be brief."), text("Be kind.")],
            temperature=0.5,
            top_p=0.9,
            stop_sequences=["END"],
            stream=True,
            tools=[WEATHER | {"strict": True, "type": "custom"}],
            tool_choice={"type": "tool", "name": "weather"},
            output_config={
                "effort": "high",
                "format": {"type": "json_schema", "schema": {"type": "object"}},
            },
            thinking={"type": "adaptive"},
            metadata={"user_id": "u-1"},
            service_tier="standard_only",
        )
    )

    assert chat == {
        "model": "auto",
        "max_tokens": 10,
        "messages": [
            {"role": "system", "content": "Be brief.\n\nBe kind."},
            {"role": "user", "content": "Hi"},
        ],
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["END"],
        "stream": True,
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "weather",
                    "description": "Of a city",
                    "parameters": WEATHER["input_schema"],
                    "strict": True,
                },
            }
        ],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "reasoning_effort": "high",
        "response_format": {
            "type": "json_schema",
            "json_schema": {
                "name": "answer",
                "schema": {"type": "object"},
                "strict": True,
            },
        },
        "thinking": {"type": "adaptive"},
        "user": "u-1",
        "service_tier": "default",
    }


@pytest.mark.parametrize(
    ("choice", "expected", "parallel"),
    [
        ({"type": "auto"}, "auto", None),
        ({"type": "any"}, "required", None),
        ({"type": "none"}, "none", None),
        ({"type": "auto", "disable_parallel_tool_use": True}, "auto", False),
        ({"type": "any", "disable_parallel_tool_use": False}, "required", None),
    ],
)
def test_tool_choices(choice: Json, expected: str, parallel: bool | None):
    chat = translated(asking(tools=[WEATHER], tool_choice=choice))

    assert chat["tool_choice"] == expected
    assert chat.get("parallel_tool_calls") == parallel


def test_the_early_name_of_an_output_format_means_the_same():
    wanted = {"type": "json_schema", "schema": {"type": "object"}}

    assert translated(asking(output_format=wanted)) == translated(
        asking(output_config={"format": wanted})
    )


def test_a_system_message_in_the_middle_stays_there():
    middle = {"role": "system", "content": [text("Now in"), text("French.")]}
    chat = translated(asking(user(text("Hi")), middle, user(text("Again"))))

    assert chat["messages"][1] == {"role": "system", "content": "Now in\n\nFrench."}


def test_needs_tell_which_backends_can_answer():
    body = asking(
        user({"type": "image", "source": PNG}, {"type": "document", "source": PDF}),
        tools=[WEATHER],
    )

    assert extract(translated(body)).needs >= {"images", "files", "tools"}
