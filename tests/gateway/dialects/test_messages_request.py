import copy
import json

import pytest
from openai.types.chat import ChatCompletionMessageParam
from pydantic import TypeAdapter

from gateway.dialects.messages_check import FIRST_VERSION, check_messages
from gateway.dialects.messages_request import to_chat_body
from gateway.dialects.openai import validate_chat
from routing.chat import Json, Native
from routing.features import extract

PDF = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}
PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
PNG_URL = "data:image/png;base64,iVBORw0KGgo="
WEATHER = {
    "name": "weather",
    "description": "Of a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}


def text(words: str, **more: object) -> Json:
    return {"type": "text", "text": words, **more}


def use(id_: str, name: str = "weather", **arguments: object) -> Json:
    return {"type": "tool_use", "id": id_, "name": name, "input": arguments}


def result(id_: str, content: object = None, **more: object) -> Json:
    return {"type": "tool_result", "tool_use_id": id_, "content": content, **more}


def user(*content: Json) -> Json:
    return {"role": "user", "content": list(content)}


def asking(*messages: Json, **fields: object) -> Json:
    said = list(messages) or [{"role": "user", "content": "Hi"}]
    return {"model": "auto", "max_tokens": 10, "messages": said, **fields}


def both(body: Json) -> tuple[Json, Native]:
    check_messages(body, FIRST_VERSION)
    before = copy.deepcopy(body)
    chat, native = to_chat_body(body, FIRST_VERSION, ())
    assert body == before
    assert native.body is body
    extract(chat)
    return chat, native


def translated(body: Json) -> Json:
    """For bodies that lose nothing."""
    chat, native = both(body)
    assert native.inexpressible == ()
    validate_chat(chat)
    TypeAdapter(list[ChatCompletionMessageParam]).validate_python(chat["messages"])
    return chat


def lost(body: Json) -> list[str]:
    _, native = both(body)
    for param, reason in native.inexpressible:
        assert reason.startswith(f"{param}: ")
    return [param for param, _ in native.inexpressible]


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


def test_images_and_documents():
    title = {"title": "Terms", "context": "Of 2026"}
    notes = {"type": "text", "media_type": "text/plain", "data": "Pay in time."}
    pages = {
        "type": "content",
        "content": [text("One"), {"type": "image", "source": PNG}],
    }
    chat = translated(
        asking(
            user(
                {"type": "image", "source": PNG},
                {"type": "image", "source": {"type": "url", "url": "https://x.test/a"}},
                {"type": "document", "source": PDF, **title},
                {"type": "document", "source": notes, **title},
                {"type": "document", "source": pages},
                text("Compare."),
            )
        )
    )

    assert chat["messages"][0]["content"] == [
        {"type": "image_url", "image_url": {"url": PNG_URL}},
        {"type": "image_url", "image_url": {"url": "https://x.test/a"}},
        text("Of 2026"),
        {
            "type": "file",
            "file": {
                "filename": "Terms",
                "file_data": "data:application/pdf;base64,JVBERi0=",
            },
        },
        text("Terms\n\nOf 2026\n\nPay in time."),
        text("One"),
        {"type": "image_url", "image_url": {"url": PNG_URL}},
        text("Compare."),
    ]


def test_a_loop_of_tools_with_parallel_calls_an_error_and_a_screenshot():
    chat = translated(
        asking(
            user(text("Look.")),
            {
                "role": "assistant",
                "content": [
                    text("Let me "),
                    text("see."),
                    use("toolu_1", city="Zürich"),
                    use("toolu_2"),
                ],
            },
            user(
                result("toolu_1", "sunny"),
                result(
                    "toolu_2",
                    [text("Not found"), {"type": "image", "source": PNG}],
                    is_error=True,
                ),
                text("And now?"),
            ),
            tools=[WEATHER],
        )
    )
    _, assistant, first, second, after = chat["messages"]

    assert assistant["content"] == "Let me see."
    calls = assistant["tool_calls"]
    assert [call["id"] for call in calls] == ["toolu_1", "toolu_2"]
    assert json.loads(calls[0]["function"]["arguments"]) == {"city": "Zürich"}
    assert calls[1]["function"]["arguments"] == "{}"
    assert first == {"role": "tool", "tool_call_id": "toolu_1", "content": "sunny"}
    assert second["content"] == "Error:\n\nNot found"
    assert after["role"] == "user"
    assert [part["type"] for part in after["content"]] == ["text", "image_url", "text"]
    assert "toolu_2" in after["content"][0]["text"]
    assert after["content"][-1] == text("And now?")


@pytest.mark.parametrize("content", [None, "", []])
def test_a_result_of_nothing_is_an_empty_text(content: object):
    chat = translated(
        asking(
            user(text("Go")),
            {"role": "assistant", "content": [use("t1")]},
            user(result("t1", content)),
        )
    )

    assert chat["messages"][1]["content"] is None
    assert chat["messages"][2]["content"] == ""


def test_thoughts_are_kept_beside_the_message_so_that_they_count():
    thoughts = [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "xx"},
    ]
    chat = translated(
        asking(
            user(text("Go")),
            {"role": "assistant", "content": [*thoughts, text("Yes")]},
            user(text("More")),
        )
    )

    assert chat["messages"][1] == {
        "role": "assistant",
        "content": "Yes",
        "thinking_blocks": thoughts,
    }


def test_marks_of_what_to_cache_are_left_out_and_mentioned():
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    bodies = [
        asking(system=[text("Be brief.", **mark)]),
        asking(user(text("Hi", **mark))),
        asking(tools=[WEATHER | mark]),
        asking(**mark),
    ]
    for body in bodies:
        chat, native = both(body)
        assert "cache_control" not in json.dumps(chat)
        assert native.inexpressible == ()
        assert len(native.notes) == 1
    assert both(asking())[1].notes == ()


def test_a_system_message_in_the_middle_stays_there():
    middle = {"role": "system", "content": [text("Now in"), text("French.")]}
    chat = translated(asking(user(text("Hi")), middle, user(text("Again"))))

    assert chat["messages"][1] == {"role": "system", "content": "Now in\n\nFrench."}


WEB_SEARCH = {"type": "web_search_20260318", "name": "web_search"}
FILE = {"type": "file", "file_id": "file_1"}
CITED = {"type": "document", "source": PDF, "citations": {"enabled": True}}
SEARCH_RESULT = {
    "type": "search_result",
    "source": "https://x.test",
    "title": "x",
    "content": [text("x")],
}
SERVER_USE = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}


@pytest.mark.parametrize(
    ("body", "params"),
    [
        (asking(tools=[WEATHER, WEB_SEARCH]), ["tools.1.type"]),
        (
            asking(tools=[WEATHER | {"defer_loading": True}]),
            ["tools.0.defer_loading"],
        ),
        (asking(tools=[WEATHER], tool_choice={"type": "new"}), ["tool_choice"]),
        (asking(top_k=5), ["top_k"]),
        (asking(max_tokens=0), ["max_tokens"]),
        (asking(stop_sequences=list("abcde")), ["stop_sequences"]),
        (asking(container="c_1"), ["container"]),
        (asking(mcp_servers=[{"url": "x"}]), ["mcp_servers"]),
        (asking(speed="fast"), ["speed"]),
        (asking(service_tier="batch"), ["service_tier"]),
        (asking(output_config={"verbosity": 1}), ["output_config.verbosity"]),
        (
            asking(output_config={"format": {"type": "grammar"}}),
            ["output_config.format"],
        ),
        (
            asking(context_management={"edits": [{"type": "clear_tool_uses_1"}]}),
            ["context_management"],
        ),
        (
            asking(user({"type": "image", "source": FILE})),
            ["messages.0.content.0.source"],
        ),
        (
            asking(user({"type": "document", "source": FILE})),
            ["messages.0.content.0.source"],
        ),
        (
            asking(user({"type": "document", "source": {"type": "url", "url": "x"}})),
            ["messages.0.content.0.source"],
        ),
        (asking(user(CITED)), ["messages.0.content.0.citations"]),
        (asking(user(SEARCH_RESULT)), ["messages.0.content.0"]),
        (
            asking(user(result("t", [SEARCH_RESULT]))),
            ["messages.0.content.0.content.0"],
        ),
        (
            asking(
                user(text("Hi")),
                {"role": "assistant", "content": [SERVER_USE]},
                user(text("?")),
            ),
            ["messages.1.content.0"],
        ),
        (
            asking(user(text("Hi")), {"role": "assistant", "content": "The answer:"}),
            ["messages.1"],
        ),
        (
            asking(
                user(text("Hi")),
                {
                    "role": "assistant",
                    "content": [use("t") | {"caller": {"type": "code_execution_1"}}],
                },
                user(result("t", "x")),
            ),
            ["messages.1.content.0.caller"],
        ),
    ],
)
def test_what_has_no_counterpart_is_named_and_still_counts(
    body: Json, params: list[str]
):
    """So that another answer is never taken for its own."""
    plain, _ = both({**asking(), **({"tools": [WEATHER]} if "tools" in body else {})})

    assert lost(body) == params
    assert both(body)[0] != plain


def test_what_asks_for_nothing_is_no_loss():
    translated(
        asking(
            user(text("Hi")),
            {
                "role": "assistant",
                "content": [
                    use("t") | {"caller": {"type": "direct"}, "toolset_name": None},
                    text("x", citations=None),
                ],
            },
            user(result("t", "x", is_error=False)),
            speed="standard",
            mcp_servers=[],
            container=None,
            context_management={"edits": [{"type": "clear_thinking_20251015"}]},
            tools=[
                WEATHER
                | {
                    "eager_input_streaming": True,
                    "defer_loading": False,
                    "allowed_callers": ["direct"],
                }
            ],
        )
    )


def test_needs_tell_which_backends_can_answer():
    body = asking(
        user({"type": "image", "source": PNG}, {"type": "document", "source": PDF}),
        tools=[WEATHER],
    )

    assert extract(translated(body)).needs >= {"images", "files", "tools"}
