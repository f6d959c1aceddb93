"""S29, I8: every cap at its bound and one beyond, and what a client is told there."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from gateway.api.chat_request import MAX_TAG_CHARS, MAX_TAGS
from gateway.dialects.openai_request import MAX_MESSAGES, MAX_STOPS, MAX_TOOLS
from gateway.dialects.strict_json import MAX_DEPTH
from tests.faultllm import FaultLLM
from tests.harness import Gateway, ask, one_backend, serving

PATH = "/v1/chat/completions"

USER = {"role": "user", "content": "Hi"}

TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}

CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.fixture
async def gateway(upstream: FaultLLM, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with serving(one_backend(upstream.url), tmp_path) as running:
        yield running


def nested(levels: int) -> object:
    """A value that is `levels` containers deep."""
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


def assistant(calls: int) -> list[dict]:
    return [USER, {"role": "assistant", "tool_calls": [CALL] * calls}, USER]


# What is sent at the bound, and one beyond it.
CAPS = {
    "messages": [{"messages": [USER] * n} for n in (MAX_MESSAGES, MAX_MESSAGES + 1)],
    "tools": [{"tools": [TOOL] * n} for n in (MAX_TOOLS, MAX_TOOLS + 1)],
    "functions": [
        {"functions": [TOOL["function"]] * n} for n in (MAX_TOOLS, MAX_TOOLS + 1)
    ],
    "tool_calls": [{"messages": assistant(n)} for n in (MAX_TOOLS, MAX_TOOLS + 1)],
    "n": [{"n": n} for n in (128, 129)],
    "stop": [{"stop": ["x"] * n} for n in (MAX_STOPS, MAX_STOPS + 1)],
    "max_tokens": [{"max_tokens": n} for n in (2**31 - 1, 2**31)],
    "model": [{"model": "m" * n} for n in (200, 201)],
    # The object of the body is the first level.
    "depth": [{"metadata": nested(n)} for n in (MAX_DEPTH - 1, MAX_DEPTH)],
}


@pytest.mark.parametrize("cap", CAPS)
async def test_s29_what_fits_is_answered_and_one_more_is_400(
    gateway: Gateway, upstream: FaultLLM, cap: str
):
    at_bound, beyond = CAPS[cap]
    fits = await ask(gateway, **at_bound)
    refused = await ask(gateway, **beyond)

    # A name of 200 characters is a name, though nobody has it.
    assert fits.status == (404 if cap == "model" else 200)
    assert refused.status == 400
    assert refused.error["message"]
    assert len(upstream.attempts) == (0 if cap == "model" else 1)


TAGS = [
    (",".join("t" * MAX_TAGS), 200),
    (",".join("t" * (MAX_TAGS + 1)), 400),
    ("t" * MAX_TAG_CHARS, 200),
    ("t" * (MAX_TAG_CHARS + 1), 400),
]


@pytest.mark.parametrize(("tags", "status"), TAGS)
async def test_s29_tags_are_few_and_short(gateway: Gateway, tags: str, status: int):
    reply = await ask(gateway, headers={"x-llm-router-tags": tags})

    assert reply.status == status


@pytest.mark.parametrize(
    ("ceiling", "status"),
    [("1", 200), ("9999", 200), ("0", 400), ("10000", 400), ("9" * 5000, 400)]
    + [("-1", 400), ("1.5", 400), ("\u0661".encode(), 400), ("1e3", 400)],
)
async def test_s29_a_ceiling_is_the_number_of_a_tier(
    gateway: Gateway, ceiling: str, status: int
):
    reply = await ask(gateway, headers={"x-llm-router-max-tier": ceiling})

    assert reply.status == status


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data; boundary=x",
        "multipart/form-data; boundary=" + "x" * 10_000,
        "multipart/form-data",
        "application/x-www-form-urlencoded",
        "text/plain",
        "text/plain; application/json",
        "application/json-patch+json",
        "application/xml",
        "",
    ],
)
async def test_s29_only_json_is_read_and_multipart_is_not_even_parsed(
    gateway: Gateway, upstream: FaultLLM, kind: str
):
    body = b"--x\r\ncontent-disposition: form-data; name=a\r\n\r\n" + b"-" * 100_000
    async with httpx.AsyncClient() as client:
        answer = await client.post(
            gateway.url + PATH, content=body, headers={"content-type": kind}
        )

    assert answer.status_code == 415
    assert answer.json()["error"]["code"] == "unsupported_media_type"
    assert upstream.attempts == []


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=utf-8", "application/json;"]
)
async def test_s29_json_by_any_spelling_is_json(gateway: Gateway, kind: str):
    body = json.dumps({"messages": [USER]}).encode()
    async with httpx.AsyncClient() as client:
        answer = await client.post(
            gateway.url + PATH, content=body, headers={"content-type": kind}
        )

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "length", ["-1", "x", "1e3", "+5", "", " ", "0x10", "9" * 30, "1, 1"]
)
async def test_s29_a_length_that_is_none_is_refused(
    gateway: Gateway, upstream: FaultLLM, length: str
):
    host, port = gateway.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"POST {PATH} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
        f"content-type: application/json\r\ncontent-length: {length}\r\n\r\n".encode()
    )
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()

    assert answer.split()[1] in (b"400", b"413")
    assert upstream.attempts == []


@pytest.mark.parametrize(
    "path", ["/v1/models/" + "m" * 301, "/v1/requests/" + "r" * 81]
)
async def test_i8_an_address_too_long_is_none(gateway: Gateway, path: str):
    async with httpx.AsyncClient() as client:
        answer = await client.get(gateway.url + path)

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "unknown_url"  # nobody looked it up
    assert len(answer.text) < 1000


async def head_of(gateway: Gateway, size: int) -> bytes:
    """The beginning of the answer to a request whose headers are so large."""
    host, port = gateway.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(b"GET /v1/models HTTP/1.1\r\nhost: localhost\r\n")
        for _ in range(size // 10_000):
            writer.write(b"x-filler: " + b"x" * 9_988 + b"\r\n")
        writer.write(b"connection: close\r\n\r\n")
        async with asyncio.timeout(10):
            return await reader.read(100)
    except ConnectionError:
        return b"closed"
    finally:
        writer.close()


async def test_i8_headers_without_end_are_not_kept(gateway: Gateway):
    normal = await head_of(gateway, 30_000)
    endless = await head_of(gateway, 4_000_000)

    assert normal.startswith(b"HTTP/1.1 200")
    assert endless == b"closed" or endless.startswith(b"HTTP/1.1 4")
