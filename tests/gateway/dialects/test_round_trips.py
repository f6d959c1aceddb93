"""Meaning survives the way into the other dialect and back, both ways round."""

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.dialects.anthropic_request import to_messages_request
from gateway.dialects.messages_check import FIRST_VERSION, check_messages
from gateway.dialects.messages_request import to_chat_body
from gateway.dialects.openai import validate_chat
from routing.chat import Json
from tests.gateway.dialects.conversations import (
    conversations,
    names,
    text,
    words,
)


@st.composite
def chat_bodies(draw: st.DrawFn) -> Json:
    body: Json = {
        "max_tokens": draw(st.integers(1, 99)),
        "messages": draw(conversations()),
    }
    if draw(st.booleans()):
        body["messages"].insert(0, {"role": "system", "content": draw(words)})
    if tools := draw(st.lists(names, max_size=3, unique=True)):
        parameters = {"type": "object", "properties": {}}
        body["tools"] = [
            {
                "type": "function",
                "function": {"name": name, "parameters": parameters},
            }
            for name in tools
        ]
        only = {"type": "function", "function": {"name": tools[0]}}
        choices = st.sampled_from(["auto", "none", "required", only])
        body["tool_choice"] = draw(choices)
        if body["tool_choice"] != "none" and draw(st.booleans()):
            body["parallel_tool_calls"] = False
    if draw(st.booleans()):
        body["temperature"] = draw(st.sampled_from([0, 0.5, 1]))
    if stops := draw(st.lists(names, max_size=4)):
        body["stop"] = stops
    if draw(st.booleans()):
        body["user"] = draw(words)
    if draw(st.booleans()):
        body["service_tier"] = draw(st.sampled_from(["auto", "default"]))
    return body


@settings(max_examples=60, deadline=None)
@given(chat_bodies())
def test_from_openai_to_anthropic_and_back(body: Json):
    validate_chat(body)
    native = to_messages_request(body, "claude-sonnet-4-6", 4096)
    check_messages(native, FIRST_VERSION)
    back, kept = to_chat_body(native, FIRST_VERSION, ())

    assert kept.inexpressible == ()
    del back["model"]
    assert merged(back) == merged(body)


@settings(max_examples=60, deadline=None)
@given(chat_bodies())
def test_from_anthropic_to_openai_and_back(body: Json):
    """What Anthropic's clients say is what the first translation makes."""
    native = to_messages_request(body, "claude-sonnet-4-6", 4096)
    common, _ = to_chat_body(native, FIRST_VERSION, ())
    validate_chat(common)

    assert to_messages_request(common, "claude-sonnet-4-6", 4096) == native


def merged(body: Json) -> Json:
    """Neighbours of one role are one message to Anthropic, and JSON has no order."""
    messages: list[Json] = []
    for message in body["messages"]:
        message = {**message}
        if message.get("tool_calls"):
            message["tool_calls"] = [meaning_of(call) for call in message["tool_calls"]]
        if messages and message["role"] == messages[-1]["role"] == "user":
            content = parts_of(messages[-1]) + parts_of(message)
            messages[-1] = {"role": "user", "content": content}
            continue
        if message["role"] == "user":
            message["content"] = parts_of(message)
        messages.append(message)
    return {**body, "messages": messages}


def meaning_of(call: Json) -> Json:
    function = call["function"]
    arguments = orjson.loads(function["arguments"])
    return {**call, "function": {**function, "arguments": arguments}}


def parts_of(message: Json) -> list[Json]:
    content = message["content"]
    return [text(content)] if isinstance(content, str) else content
