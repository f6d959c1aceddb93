"""A 400 for what no backend can do names the field."""

from pathlib import Path

import httpx
import pytest

from routing.catalog import Catalog
from tests.faultllm import FaultLLM
from tests.harness import TIERS, Gateway, Reply, backend, serving

PIXEL = "data:image/png;base64,iVBORw0KGgo="
PDF = "data:application/pdf;base64,JVBERi0="
IMAGE = {"type": "image_url", "image_url": {"url": PIXEL}}
SHOWN = [{"role": "system", "content": "Look."}, {"role": "user", "content": "Hi"}]
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {}}}]
SCHEMA = {"type": "object", "properties": {}}
FORMAT = {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}
NOTHING = (
    "-tools -images -files -audio -json_schema -thinking -n -logprobs -penalties "
    "-logit_bias"
)


def unable(url: str, capabilities: str = NOTHING, **fields: object) -> Catalog:
    only = backend("small", 1, url, capabilities=capabilities, **fields)
    return Catalog(TIERS[:1], (only,))


async def post(gateway: Gateway, path: str, body: dict) -> Reply:
    async with httpx.AsyncClient(timeout=30) as client:
        response = await client.post(f"{gateway.url}/v1/{path}", json=body)
    return Reply(response.status_code, response.headers, response.text)


def says(*parts: dict) -> dict:
    content = [{"type": "text", "text": "What is it?"}, *parts]
    return {"messages": [*SHOWN, {"role": "user", "content": content}]}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (says(IMAGE, IMAGE), "messages[2].content[1]"),
        (says({"type": "file", "file": {"file_data": PDF}}), "messages[2].content[1]"),
        (
            says({"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}),
            "messages[2].content[1]",
        ),
        ({"tools": TOOLS}, "tools"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"response_format": FORMAT}, "response_format"),
        ({"reasoning_effort": "high"}, "reasoning_effort"),
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"frequency_penalty": 1}, "frequency_penalty"),
        ({"logit_bias": {"1": 1}}, "logit_bias"),
        ({"modalities": ["text", "audio"]}, "modalities"),
    ],
)
async def test_what_no_backend_can_do_names_who_asked_for_it(
    upstream: FaultLLM, tmp_path: Path, body: dict, param: str
):
    async with serving(unable(upstream.url), tmp_path) as gateway:
        reply = await post(gateway, "chat/completions", {"messages": SHOWN, **body})

    assert (reply.status, reply.error["code"]) == (400, "unsupported_parameter")
    assert reply.error["param"] == param
    assert reply.error["message"].startswith(f"{param}: No backend of tier 1")


async def test_what_all_of_them_lack_is_named_before_what_some_lack(
    upstream: FaultLLM, tmp_path: Path
):
    first = backend("a", 1, upstream.url, capabilities="-tools -n")
    second = backend("b", 1, upstream.url, capabilities="-n")
    async with serving(Catalog(TIERS[:1], (first, second)), tmp_path) as gateway:
        body = {"messages": SHOWN, "tools": TOOLS, "n": 2}
        reply = await post(gateway, "chat/completions", body)

    assert reply.error["param"] == "n"
