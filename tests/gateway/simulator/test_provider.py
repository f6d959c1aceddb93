"""The pretended provider of `manage.py demo`: nonsense, in the form that was asked."""

import json

import jsonschema
import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer

from gateway.dialects.openai import CompletionBuilder
from gateway.simulator.provider import application


@pytest.fixture
async def provider():
    async with TestClient(TestServer(application())) as client:
        yield client


async def said(provider: TestClient, **asked: object) -> str:
    body = {"model": "sim-small", "messages": [{"role": "user", "content": "Hi"}]}
    reply = await provider.post("/v1/chat/completions", json=body | asked)
    if asked.get("stream"):
        lines = (await reply.text()).splitlines()
        events = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
        deltas = [each["choices"][0]["delta"] for each in events if each["choices"]]
        return "".join(delta.get("content", "") for delta in deltas)
    return (await reply.json())["choices"][0]["message"]["content"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "format_", [{"type": "json_object"}, {"type": "json_schema", "json_schema": {}}]
)
async def test_json_mode_gives_json(provider: TestClient, format_, stream):
    text = await said(provider, response_format=format_, stream=stream)

    assert "gateway" in json.loads(text)["answer"]


async def test_a_client_that_leaves_its_stream_is_no_error(caplog):
    body = {"model": "sim-small", "messages": [{"role": "user", "content": "Hi"}]}
    runner = web.AppRunner(application(), access_log=None)  # as the demo runs it
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = "http://{}:{}/v1/chat/completions".format(*runner.addresses[0])
    async with ClientSession() as client:
        for _ in range(3):
            reply = await client.post(url, json=body | {"stream": True})
            await reply.content.readline()
            reply.close()
    await runner.cleanup()  # once its handlers have ended

    assert not caplog.records


PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer", "minimum": 18},
        "kind": {"enum": ["owner", "guest"]},
        "born": {"type": ["string", "null"], "format": "date"},
        "pets": {"type": "array", "items": {"$ref": "#/$defs/pet"}, "minItems": 2},
        "paid": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
    },
    "required": ["name", "age", "kind", "born", "pets", "paid"],
    "additionalProperties": False,
    "$defs": {
        "pet": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "legs": {"type": "integer"}},
            "required": ["name", "legs"],
        }
    },
}


@pytest.mark.parametrize("stream", [False, True])
async def test_a_schema_gives_an_object_that_fits_it(provider: TestClient, stream):
    named = {"name": "person", "schema": PERSON, "strict": True}
    wanted = {"type": "json_schema", "json_schema": named}
    person = json.loads(await said(provider, response_format=wanted, stream=stream))

    jsonschema.validate(person, PERSON)
    assert "gateway" in person["name"]


SELF = {"$ref": "#"}
ENDLESS = [
    {
        "boss": {"anyOf": [SELF, {"type": "null"}]},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
    {"parts": {"type": "array", "items": SELF}},
]


@pytest.mark.parametrize("properties", ENDLESS)
async def test_a_schema_of_itself_comes_to_an_end_that_fits(
    provider: TestClient, properties
):
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
    found = json.loads(await said(provider, response_format=wanted))

    jsonschema.validate(found, schema)
    assert found[next(iter(properties))]


async def test_several_choices_are_as_many_as_were_asked_for(provider: TestClient):
    body = {"model": "sim-small", "messages": [{"role": "user", "content": "Hi"}]}
    whole = await provider.post("/v1/chat/completions", json=body | {"n": 2})
    one = await provider.post(
        "/v1/chat/completions", json=body | {"n": 2, "stream": True}
    )
    events = [
        json.loads(line[6:])
        for line in (await one.text()).splitlines()
        if line.startswith("data: {")
    ]
    ends = [
        choice["index"]
        for event in events
        for choice in event["choices"]
        if choice["finish_reason"] == "stop"
    ]

    assert [choice["index"] for choice in (await whole.json())["choices"]] == [0, 1]
    assert ends == [0, 1]


async def test_else_it_is_a_sentence(provider: TestClient):
    assert (await said(provider)).startswith("the gateway sends each request")
    assert (await said(provider, response_format={"type": "text"}))[0] == "t"


TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": parameters}}
    for name, parameters in (
        ("get_weather", PERSON),
        ("look_up", {"type": "object", "properties": {"word": {"type": "string"}}}),
        ("ping", {}),
    )
]
LOOK_UP = {"type": "function", "function": {"name": "look_up"}}


def allowed(mode: str) -> dict:
    tools = {"mode": mode, "tools": [LOOK_UP]}
    return {"type": "allowed_tools", "allowed_tools": tools}


async def answer(provider: TestClient, stream: bool, text="Hi", **asked: object):
    """A whole answer, or what the gateway's own reader makes of a stream."""
    messages = [{"role": "user", "content": text}]
    body = {"model": "sim-small", "messages": messages, "stream": stream, **asked}
    reply = await provider.post("/v1/chat/completions", json=body)
    if not stream:
        return await reply.json()
    builder = CompletionBuilder(max_bytes=1 << 20)
    for line in (await reply.text()).splitlines():
        if line.startswith("data: {"):
            builder.add(json.loads(line[6:]))
    return builder.completion()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize("format_", [None, {"type": "json_object"}])
async def test_an_answer_ends_where_it_must(provider, stream, field, format_):
    asked = {field: 2, "n": 2, "response_format": format_}
    found = await answer(provider, stream, **asked)

    reasons = [choice["finish_reason"] for choice in found["choices"]]
    assert reasons == ["length", "length"]
    assert found["usage"]["completion_tokens"] == 4


@pytest.mark.parametrize("stream", [False, True])
async def test_several_choices_say_different_things(provider, stream):
    found = await answer(provider, stream, n=3)

    assert len({each["message"]["content"] for each in found["choices"]}) == 3


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("text", "choice", "name"),
    [
        ("Hi", "required", "get_weather"),
        ("How is the weather?", None, "get_weather"),
        ("How is the weather?", "auto", "get_weather"),
        ("How is the weather?", LOOK_UP, "look_up"),
        ("How is the weather?", allowed("required"), "look_up"),
        ([{"type": "text", "text": "Look it up."}], allowed("auto"), "look_up"),
    ],
)
async def test_a_tool_that_must_be_called_or_that_is_named_is(
    provider, stream, text, choice, name
):
    found = await answer(provider, stream, text, tools=TOOLS, tool_choice=choice)

    [told] = found["choices"]
    [call] = told["message"]["tool_calls"]
    assert (told["finish_reason"], call["type"]) == ("tool_calls", "function")
    assert call["function"]["name"] == name
    parameters = {each["function"]["name"]: each["function"] for each in TOOLS}
    arguments = json.loads(call["function"]["arguments"])
    jsonschema.validate(arguments, parameters[name]["parameters"])


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("Hi", None),
        ("How is the weather?", "none"),
        ("How is the weather?", allowed("auto")),
    ],
)
async def test_else_words_answer(provider, stream, text, choice):
    found = await answer(provider, stream, text, tools=TOOLS, tool_choice=choice)

    [told] = found["choices"]
    assert told["finish_reason"] == "stop"
    assert told["message"]["content"].startswith("the gateway")


async def test_what_a_tool_answered_is_answered_in_words(provider):
    question = {"role": "user", "content": "How is the weather?"}
    call = {"id": "c", **TOOLS[0], "function": {"name": "ping", "arguments": "{}"}}
    messages = [
        question,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "weather: fine"},
    ]
    found = await answer(provider, False, messages=messages, tools=TOOLS)

    assert found["choices"][0]["finish_reason"] == "stop"


async def test_arguments_that_the_schema_does_not_ask_for_are_an_object(provider):
    choice = {"type": "function", "function": {"name": "ping"}}
    found = await answer(provider, False, tools=TOOLS, tool_choice=choice)

    [call] = found["choices"][0]["message"]["tool_calls"]
    assert call["function"] == {"name": "ping", "arguments": "{}"}
