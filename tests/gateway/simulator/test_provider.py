"""The pretended provider of `manage.py demo`: nonsense, in the form that was asked."""

import json

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


async def test_else_it_is_a_sentence(provider: TestClient):
    assert (await said(provider)).startswith("the gateway sends each request")
    assert (await said(provider, response_format={"type": "text"}))[0] == "t"
