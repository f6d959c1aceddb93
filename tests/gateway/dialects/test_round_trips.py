"""Meaning survives the way into the other dialect and back, both ways round."""

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.dialects.anthropic_request import to_messages_request
from gateway.dialects.messages_check import FIRST_VERSION, check_messages
from gateway.dialects.messages_request import to_chat_body
from gateway.dialects.openai import validate_chat
from routing.chat import Json

words = st.text(min_size=1, max_size=20)
names = st.text("abcdefgh_", min_size=1, max_size=12)
inputs = st.dictionaries(words, words | st.integers(-9, 9) | st.booleans(), max_size=3)
urls = st.sampled_from(["https://x.test/a.png", "data:image/png;base64,iVBORw0KGgo="])


def text(words: str) -> Json:
    return {"type": "text", "text": words}


@st.composite
def conversations(draw: st.DrawFn) -> list[Json]:
    """OpenAI's messages: turns of the user, answers, loops of tools with results."""
    messages: list[Json] = []
    for turn in range(draw(st.integers(1, 4))):
        said = draw(words)
        parts = [text(said), {"type": "image_url", "image_url": {"url": draw(urls)}}]
        content = draw(st.sampled_from([said, parts]))
        messages.append({"role": "user", "content": content})
        calls = [
            {
                "id": f"call_{turn}_{number}",
                "type": "function",
                "function": {
                    "name": draw(names),
                    "arguments": orjson.dumps(draw(inputs)).decode(),
                },
            }
            for number in range(draw(st.integers(0, 2)))
        ]
        answer = {"role": "assistant", "content": draw(words)}
        if calls:
            answer["tool_calls"] = calls
            if draw(st.booleans()):
                answer["content"] = None
        messages.append(answer)
        for call in calls:
            result = {
                "role": "tool",
                "tool_call_id": call["id"],
                "content": draw(words),
            }
            messages.append(result)
    messages.append({"role": "user", "content": draw(words)})
    return messages


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
