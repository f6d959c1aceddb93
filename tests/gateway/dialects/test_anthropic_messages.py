import pytest
from anthropic.types import ContentBlockParam
from pydantic import TypeAdapter

from gateway.dialects.anthropic_messages import system_and_messages
from gateway.dialects.openai import validate_chat
from gateway.errors import NotExpressible
from routing.chat import Json

PNG = "data:image/png;base64,iVBORw0KGgo="


def turns_of(*messages: Json) -> list[Json]:
    validate_chat({"messages": list(messages)})
    system, turns = system_and_messages(list(messages))
    for turn in turns:
        TypeAdapter(list[ContentBlockParam]).validate_python(turn["content"])
    return turns


def shown(*parts: Json) -> list[Json]:
    return turns_of({"role": "user", "content": list(parts)})[0]["content"]


def text(value: str) -> Json:
    return {"type": "text", "text": value}


def test_a_conversation_with_tools():
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "weather", "arguments": '{"city": "Paris"}'},
    }
    other = {"id": "call_2", "function": {"name": "now", "arguments": ""}}
    turns = turns_of(
        {"role": "user", "content": "Weather and time?"},
        {"role": "assistant", "content": "Let me see.", "tool_calls": [call, other]},
        {"role": "tool", "tool_call_id": "call_1", "content": "Sunny", "name": "w"},
        {"role": "tool", "tool_call_id": "call_2", "content": [text("Noon")]},
        {"role": "user", "content": "And?"},
        {"role": "assistant", "content": "Sunny noon."},
    )

    assert turns == [
        {"role": "user", "content": [text("Weather and time?")]},
        {
            "role": "assistant",
            "content": [
                text("Let me see."),
                {
                    "type": "tool_use",
                    "id": "call_1",
                    "name": "weather",
                    "input": {"city": "Paris"},
                },
                {"type": "tool_use", "id": "call_2", "name": "now", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "call_1",
                    "content": [text("Sunny")],
                },
                {
                    "type": "tool_result",
                    "tool_use_id": "call_2",
                    "content": [text("Noon")],
                },
                text("And?"),
            ],
        },
        {"role": "assistant", "content": [text("Sunny noon.")]},
    ]


def test_system_messages_are_taken_out_wherever_they_stand():
    system, turns = system_and_messages(
        [
            {"role": "user", "content": "a"},
            {"role": "system", "content": "Rules."},
            {"role": "user", "content": "b"},
            {"role": "developer", "content": [text("More."), text("")]},
        ]
    )

    assert system == [text("Rules."), text("More.")]
    assert turns == [{"role": "user", "content": [text("a"), text("b")]}]


def test_empty_texts_and_messages_are_left_out():
    turns = turns_of(
        {"role": "user", "content": [text(""), text("Hi")]},
        {"role": "assistant", "content": ""},
        {"role": "assistant", "content": None, "refusal": "No."},
        {"role": "user", "content": None},
    )

    assert turns == [
        {"role": "user", "content": [text("Hi")]},
        {"role": "assistant", "content": [text("No.")]},
    ]


def test_a_name_that_tells_nobody_apart_is_left_out():
    turns = turns_of(
        {"role": "user", "content": "Hi", "name": "user"},
        {"role": "assistant", "content": "Hello.", "name": "model"},
        {"role": "user", "content": "More."},
        {"role": "assistant", "content": "Here."},
        {"role": "assistant", "content": "And here.", "name": "model"},
    )

    assert turns == [
        {"role": "user", "content": [text("Hi")]},
        {"role": "assistant", "content": [text("Hello.")]},
        {"role": "user", "content": [text("More.")]},
        {"role": "assistant", "content": [text("Here."), text("And here.")]},
    ]


def test_names_that_tell_assistants_apart_are_refused():
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "For.", "name": "optimist"},
        {"role": "assistant", "content": "Against.", "name": "pessimist"},
    ]

    with pytest.raises(NotExpressible) as refusal:
        system_and_messages(messages)

    assert refusal.value.param == "messages[1].name"


def test_images_go_as_data_or_as_addresses():
    assert shown(
        {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "image_url", "image_url": {"url": "data:image/jpg;base64,/9j/"}},
    ) == [
        {
            "type": "image",
            "source": {
                "type": "base64",
                "media_type": "image/png",
                "data": "iVBORw0KGgo=",
            },
        },
        {
            "type": "image",
            "source": {"type": "url", "url": "https://example.com/a.png"},
        },
        {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/jpeg", "data": "/9j/"},
        },
    ]


def test_a_pdf_becomes_a_document():
    file = {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}

    assert shown({"type": "file", "file": file}) == [
        {
            "type": "document",
            "title": "a.pdf",
            "source": {
                "type": "base64",
                "media_type": "application/pdf",
                "data": "JVBERi0=",
            },
        }
    ]


def test_cache_marks_stay_on_their_parts():
    mark = {"cache_control": {"type": "ephemeral"}}

    assert shown(text("Long.") | mark, text("Short.")) == [
        text("Long.") | mark,
        text("Short."),
    ]


def test_a_tool_may_show_an_image_or_nothing():
    image = {"type": "image_url", "image_url": {"url": PNG}}
    turns = turns_of(
        {"role": "tool", "tool_call_id": "a", "content": [image]},
        {"role": "tool", "tool_call_id": "b", "content": ""},
    )

    assert turns[0]["content"][0]["content"][0]["type"] == "image"
    assert turns[0]["content"][1] == {"type": "tool_result", "tool_use_id": "b"}


def test_what_vendors_add_to_past_answers_is_left_out():
    turns = turns_of(
        {"role": "user", "content": "Hi"},
        {
            "role": "assistant",
            "content": "Hello.",
            "reasoning_content": "Greet.",
            "annotations": [],
            "audio": None,
            "function_call": None,
        },
    )

    assert turns[1] == {"role": "assistant", "content": [text("Hello.")]}


def user(part: Json) -> Json:
    return {"role": "user", "content": [part]}


def calling(**fields: object) -> Json:
    return {"role": "assistant", "content": None, "tool_calls": [fields]}


@pytest.mark.parametrize(
    ("message", "param"),
    [
        (user({"type": "input_audio", "input_audio": {}}), ".content[0]"),
        (user({"type": "file", "file": {"file_id": "file-1"}}), ".content[0]"),
        (user({"type": "hologram"}), ".content[0]"),
        (user({"type": "image_url", "image_url": "x"}), ".content[0]"),
        (
            user({"type": "image_url", "image_url": {"url": "ftp://x/y.png"}}),
            ".content[0].image_url.url",
        ),
        (
            user({"type": "image_url", "image_url": {"url": "data:image/png,abc"}}),
            ".content[0].image_url.url",
        ),
        (
            user(
                {"type": "image_url", "image_url": {"url": "data:image/tiff;base64,a"}}
            ),
            ".content[0].image_url.url",
        ),
        (
            user({"type": "file", "file": {"file_data": "data:text/csv;base64,a"}}),
            ".content[0].file.file_data",
        ),
        (
            {
                "role": "system",
                "content": [{"type": "image_url", "image_url": {"url": PNG}}],
            },
            ".content",
        ),
        ({"role": "user", "content": "Hi", "name": "Ann"}, ".name"),
        ({"role": "assistant", "content": "Hi", "audio": {"id": "a"}}, ".audio"),
        (
            {"role": "assistant", "content": None, "function_call": {"name": "f"}},
            ".function_call",
        ),
        ({"role": "function", "name": "f", "content": "x"}, ".name"),
        ({"role": "function", "content": "x"}, ".role"),
        ({"role": "tool", "content": "x"}, ".tool_call_id"),
        (calling(id="a", type="custom", custom={}), ".tool_calls[0].type"),
        (calling(id="a"), ".tool_calls[0].type"),
        (calling(function={"name": "f"}), ".tool_calls[0]"),
        (
            calling(id="a", function={"name": "f", "arguments": '{"city": '}),
            ".tool_calls[0].function.arguments",
        ),
        (
            calling(id="a", function={"name": "f", "arguments": "[1]"}),
            ".tool_calls[0].function.arguments",
        ),
        (
            calling(
                id="a",
                function={
                    "name": "f",
                    "arguments": '{"a":' + "[" * 500 + "]" * 500 + "}",
                },
            ),
            ".tool_calls[0].function.arguments",
        ),
    ],
)
def test_what_has_no_counterpart_is_refused_by_its_place(message: Json, param: str):
    messages = [{"role": "user", "content": "Hi"}, message]
    validate_chat({"messages": messages})

    with pytest.raises(NotExpressible) as refusal:
        system_and_messages(messages)

    assert refusal.value.param == f"messages[1]{param}"


def test_a_conversation_without_a_turn_is_refused():
    with pytest.raises(NotExpressible) as refusal:
        system_and_messages([{"role": "system", "content": "Be brief."}])

    assert refusal.value.param == "messages"
