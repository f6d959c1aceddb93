"""Bodies of `POST /v1/messages`, and what becomes of them."""

import copy

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
