"""A 400 for what no backend can do names the field, as its client calls it."""

from pathlib import Path

import httpx
import pytest

from routing.catalog import Catalog
from tests.faultllm import FaultLLM
from tests.gateway.responses.asking import respond
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


def claude(url: str) -> Catalog:
    return unable(url, "", provider="anthropic", model="claude-haiku-4-5")


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


# --- Anthropic's words ----------------------------------------------------------------

PICTURE = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="},
}
RESULT = {
    "type": "tool_result",
    "tool_use_id": "t1",
    "content": [{"type": "text", "text": "Here."}, PICTURE],
}
CALL = {"type": "tool_use", "id": "t1", "name": "f", "input": {}}
DOCUMENT = {
    "type": "document",
    "source": {"type": "content", "content": [{"type": "text", "text": "a"}, PICTURE]},
}


def told(*contents: object) -> dict:
    roles = ("user", "assistant")
    return {
        "messages": [
            {"role": roles[at % 2], "content": content}
            for at, content in enumerate(contents)
        ]
    }


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({**told([PICTURE]), "system": "Look."}, "messages.0.content.0"),
        (told("Hi", [CALL], [RESULT, PICTURE]), "messages.2.content.0.content.1"),
        (told([DOCUMENT]), "messages.0.content.0.source.content.1"),
        ({"tools": [{"name": "f", "input_schema": SCHEMA}]}, "tools"),
        (
            {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
            "output_config.format",
        ),
        (
            {"output_format": {"type": "json_schema", "schema": SCHEMA}},
            "output_format",
        ),
        ({"output_config": {"effort": "high"}}, "output_config.effort"),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, "thinking"),
    ],
)
async def test_anthropics_clients_read_their_own_names(
    upstream: FaultLLM, tmp_path: Path, body: dict, param: str
):
    async with serving(unable(upstream.url), tmp_path) as gateway:
        body = {"model": "auto", "max_tokens": 2000, **told("Hi"), **body}
        reply = await post(gateway, "messages", body)

    assert reply.status == 400
    assert reply.error["message"].startswith(f"{param}: No backend of tier 1")


# --- The words of the Responses API ---------------------------------------------------

CUT = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{"}
WHOLE = {**CUT, "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "1"}
BITMAP = {"type": "input_image", "image_url": "data:image/bmp;base64,Qk0="}
ASKED = {"role": "user", "content": "Hi"}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"instructions": "Be brief.", "given": ""}, "input"),
        ({"given": [ASKED, CUT]}, "input[1].arguments"),
        (
            {"given": [ASKED, WHOLE, {**CUT, "call_id": "c2"}, OUTPUT]},
            "input[2].arguments",
        ),
        (
            {
                "instructions": "Be brief.",
                "given": [ASKED, {"role": "user", "content": [BITMAP]}],
            },
            "input[1].content[0].image_url",
        ),
        ({"given": [{"role": "system", "content": [BITMAP]}]}, "input[0].content[0]"),
        ({"text": {"verbosity": "low"}}, "text.verbosity"),
        ({"reasoning": {"effort": "endless"}}, "reasoning.effort"),
        (
            {"tools": [{"type": "function", "name": "f", "parameters": [1]}]},
            "tools[0].parameters",
        ),
    ],
)
async def test_what_anthropic_cannot_express_has_the_names_of_responses(
    upstream: FaultLLM, tmp_path: Path, body: dict, param: str
):
    async with serving(claude(upstream.url), tmp_path) as gateway:
        reply = await respond(gateway, **{"given": "Hi", **body})

    assert (reply.status, reply.error["code"]) == (400, "unsupported_parameter")
    assert reply.error["param"].startswith(param)
    for name in ("messages[", "response_format", "reasoning_effort", "max_completion"):
        assert name not in reply.error["message"]
    assert upstream.attempts == []


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"given": [{"role": "user", "content": [BITMAP]}]}, "input[0].content[0]"),
        (
            {
                "text": {
                    "format": {"type": "json_schema", "name": "a", "schema": SCHEMA}
                }
            },
            "text.format",
        ),
        ({"reasoning": {"effort": "low"}}, "reasoning.effort"),
    ],
)
async def test_so_has_what_no_backend_can_do(
    upstream: FaultLLM, tmp_path: Path, body: dict, param: str
):
    async with serving(unable(upstream.url), tmp_path) as gateway:
        reply = await respond(gateway, **{"given": "Hi", **body})

    assert (reply.status, reply.error["param"]) == (400, param)
    assert reply.error["message"].startswith(f"{param}: ")


async def test_a_limit_that_leaves_no_room_to_think_has_its_own_name(
    upstream: FaultLLM, tmp_path: Path
):
    async with serving(claude(upstream.url), tmp_path) as gateway:
        reply = await respond(
            gateway, max_output_tokens=100, reasoning={"effort": "high"}
        )

    assert reply.error["param"] == "reasoning.effort"
    assert "max_output_tokens above 1024" in reply.error["message"]


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("responses", {"input": "word " * 900}, "input"),
        ("completions", {"prompt": "word " * 900}, "prompt"),
        (
            "chat/completions",
            {"messages": [{"role": "user", "content": "word " * 900}]},
            "messages",
        ),
    ],
)
async def test_what_is_too_long_is_named_too(
    upstream: FaultLLM, tmp_path: Path, path: str, body: dict, param: str
):
    async with serving(unable(upstream.url, context_window=1000), tmp_path) as gateway:
        reply = await post(gateway, path, body)

    assert (reply.error["code"], reply.error["param"]) == (
        "context_length_exceeded",
        param,
    )
