"""Images, documents, tools' results and thoughts of a client of Anthropic's."""

import json

import pytest

from tests.gateway.dialects.messages_bodies import (
    PDF,
    PNG,
    PNG_URL,
    WEATHER,
    asking,
    both,
    result,
    text,
    translated,
    use,
    user,
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
