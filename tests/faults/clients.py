"""Clients that misbehave, and how they are refused."""

import asyncio
import json

import httpx

from tests.faultllm import FaultLLM
from tests.harness import Gateway

PATH = "/v1/chat/completions"
CHAT = {"messages": [{"role": "user", "content": "Hi"}]}


async def post(gateway: Gateway, body: bytes, **headers: str) -> httpx.Response:
    sent = {"content-type": "application/json"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    async with httpx.AsyncClient(timeout=20) as client:
        return await client.post(gateway.url + PATH, content=body, headers=sent)


async def raw(gateway: Gateway, data: bytes, *, to_end: bool = False) -> bytes:
    """Send these bytes and read until the gateway closes or answers; `to_end`: until
    it closes."""
    host, port = gateway.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(data)
    try:
        async with asyncio.timeout(60):
            return await reader.read(-1 if to_end else 65536)
    finally:
        writer.close()


async def send_and_hang_up(
    gateway: Gateway,
    stream: bool,
    after: int = 0,
    upstream: FaultLLM | None = None,
) -> None:
    """Start a request, wait for `upstream` to hold it, read `after` bytes of its
    answer, leave."""
    body = json.dumps({**CHAT, "stream": stream}).encode()
    host, port = gateway.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"POST {PATH} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n".encode()
        + body
    )
    await gateway.called()
    if upstream:
        await upstream.until(lambda: upstream.holding > 0)
    if after:
        await reader.readexactly(after)
    writer.close()


def hung_up(upstream: FaultLLM) -> bool:
    """Has the provider noticed that the gateway left its first call?"""
    return bool(upstream.attempts) and upstream.attempts[0].outcome == "peer-closed"


def assert_refused(response: httpx.Response, status: int, code: str) -> None:
    """I5, for whatever the guard or the view refuses."""
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert set(response.json()["error"]) == {"message", "type", "param", "code"}
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"]
