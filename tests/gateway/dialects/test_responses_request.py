"""Input items of the Responses API become the messages they stand for."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialects.openai_request import validate_chat
from gateway.dialects.responses_input import sealed, unsealed
from gateway.dialects.responses_request import to_chat_body
from gateway.errors import BadRequest, GatewayError
from routing.chat import Json
from tests.gateway.dialects.conversations import conversations

THOUGHT = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}


def messages_of(*items: Json) -> list[Json]:
    chat, beyond = to_chat_body({"input": list(items)})
    assert beyond is None
    return chat["messages"]


def items_of(messages: list[Json]) -> list[Json]:
    """The same conversation as a client of the Responses API keeps it."""
    items: list[Json] = []
    for message in messages:
        content = message["content"]
        if message["role"] == "tool":
            call_id = message["tool_call_id"]
            item = {"type": "function_call_output", "call_id": call_id}
            items.append(item | {"output": content})
            continue
        if isinstance(content, list):
            content = [part_of(part) for part in content]
        if message["role"] == "assistant" and content:
            content = [{"type": "output_text", "text": content, "annotations": []}]
        if content is not None:
            items.append({"role": message["role"], "content": content})
        for call in message.get("tool_calls", ()):
            named = {"type": "function_call", "call_id": call["id"]}
            items.append(named | call["function"])
    return items


def part_of(part: Json) -> Json:
    if part["type"] == "text":
        return {"type": "input_text", "text": part["text"]}
    return {"type": "input_image", "image_url": part["image_url"]["url"]}


@given(conversations())
def test_a_conversation_in_items_is_the_conversation(messages: list[Json]):
    assert messages_of(*items_of(messages)) == messages


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner)
    ),
    max_leaves=8,
)
FIELDS = ("input", "instructions", "tools", "tool_choice", "text", "reasoning")
KINDS = ("message", "function_call", "function_call_output", "reasoning", "other")
items = st.fixed_dictionaries(
    {"type": st.sampled_from(KINDS) | anything},
    optional={
        name: anything | st.lists(st.fixed_dictionaries({"type": anything}))
        for name in ("role", "content", "call_id", "name", "arguments", "output")
    },
)


@given(
    st.fixed_dictionaries(
        {"input": anything | st.lists(items, max_size=3)},
        optional={name: anything for name in (*FIELDS[1:], "include", "metadata")},
    )
)
def test_whatever_is_sent_is_read_or_refused_with_the_parameter(body: Json):
    try:
        chat, _ = to_chat_body(body)
    except GatewayError as error:
        assert error.status == 400
        assert error.param
        return
    validate_chat(chat)
    assert chat["messages"]


def test_an_assistants_text_thought_and_calls_are_one_message():
    call = {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"}
    thought = {"type": "reasoning", "id": "rs", "summary": []}
    messages = messages_of(
        {"role": "user", "content": "Hi"},
        {**thought, "encrypted_content": sealed([THOUGHT])},
        {"role": "assistant", "content": "Let me see. "},
        call,
        {**call, "call_id": "2"},
        {"type": "function_call_output", "call_id": "1", "output": "a"},
        {"type": "function_call_output", "call_id": "2", "output": "b"},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
    )

    assert [m["role"] for m in messages] == [
        "user",
        "assistant",
        "tool",
        "tool",
        "assistant",
    ]
    assert messages[1]["thinking_blocks"] == [THOUGHT]
    assert messages[1]["content"] == "Let me see. "
    assert [each["id"] for each in messages[1]["tool_calls"]] == ["1", "2"]
    assert messages[4]["refusal"] == "No."


@pytest.mark.parametrize(
    "content",
    [None, 1, "", "gAAAAA", "llm-router:", "llm-router:!!", "llm-router:e30="]
    + [sealed([])[:-2], "llm-router:WzFd"],
)
def test_thoughts_of_others_and_damaged_ones_stay_out(content: object):
    assert unsealed(content) == []


def test_sealed_thoughts_come_back():
    assert unsealed(sealed([THOUGHT])) == [THOUGHT]


def test_calls_beyond_what_one_message_may_have_are_refused_by_their_own_name():
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}

    assert len(messages_of(*[call] * 512)[0]["tool_calls"]) == 512
    with pytest.raises(BadRequest) as refused:
        messages_of({"role": "user", "content": "Hi"}, *[call] * 513)

    assert refused.value.param == "input[513]"
    assert "messages" not in refused.value.message


def test_a_body_beyond_chats_keeps_all_that_matters_for_its_key():
    body = {
        "model": "m",
        "input": "Hi",
        "tools": [{"type": "web_search"}],
        "stream": True,
        "metadata": {"a": "b"},
        "user": "me",
    }
    chat, beyond = to_chat_body(body)

    assert beyond is not None
    assert beyond[0] == "tools[0].type"
    kept = chat["only_responses"]
    assert kept == {"input": "Hi", "tools": [{"type": "web_search"}]}
    assert orjson.dumps(chat)
