"""Bytes that are no HTTP request get an answer too, as their client reads it."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.faultllm import FaultLLM
from tests.harness import serving, three_tiers

BEGIN = "POST /v1/%s HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
CHAT, MESSAGES = BEGIN % "chat/completions", BEGIN % "messages"
BAD_LENGTH = "content-length: x\r\n\r\n"
BAD_CHUNK = "transfer-encoding: chunked\r\n\r\nzz\r\n"
VERSIONED = CHAT + "anthropic-version: 2023-06-01\r\n" + BAD_LENGTH
LONG = CHAT + f"x-long: {'a' * 70_000}\r\n"


async def answer_to(url: str, sent: str) -> tuple[str, dict[str, str], dict]:
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(sent.encode())
    text = (await asyncio.wait_for(reader.read(), 20)).decode()
    writer.close()
    head, _, body = text.partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    return status, dict(line.split(": ", 1) for line in lines), json.loads(body)


@pytest.mark.parametrize(
    ("sent", "anthropic", "why"),
    [
        ("nonsense\r\n\r\n", False, "valid HTTP"),
        (CHAT + BAD_LENGTH, False, "valid HTTP"),
        (CHAT + BAD_CHUNK, False, "valid HTTP"),
        (MESSAGES + BAD_LENGTH, True, "valid HTTP"),
        (MESSAGES + BAD_CHUNK, True, "valid HTTP"),
        (VERSIONED, True, "valid HTTP"),
        (LONG, False, "64 KiB"),
    ],
)
async def test_it_has_a_request_id_and_is_in_the_clients_dialect(
    upstream: FaultLLM, tmp_path: Path, sent: str, anthropic: bool, why: str
):
    async with serving(three_tiers(upstream.url), tmp_path) as gateway:
        status, headers, body = await answer_to(gateway.url, sent)

    assert status == "HTTP/1.1 400 Bad Request"
    assert headers["x-request-id"] == headers["request-id"]
    assert headers["connection"] == "close"
    assert why in body["error"]["message"]
    if anthropic:
        assert body["request_id"] == headers["request-id"]
        assert body["error"]["details"] == {"error_code": "invalid_http"}
    else:
        assert body["error"]["code"] == "invalid_http"
    assert upstream.attempts == []
