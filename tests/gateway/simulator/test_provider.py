"""The pretended provider of `manage.py demo`: nonsense, in the form that was asked."""

import json

import jsonschema
import pytest
from aiohttp.test_utils import TestClient, TestServer

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
