"""A client that sees every byte: what the real SDKs would hide."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Literal

from tests.faultllm import FaultLLM

Json = dict[str, Any]

CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
PROMPT = "hello there world"


def request_bytes(
    model: str,
    path: str = CHAT,
    *,
    stream: bool = False,
    headers: Json | None = None,
    **fields: object,
) -> bytes:
    content = {"max_tokens": 100, "messages": [{"role": "user", "content": PROMPT}]}
    fields = {"model": model, "stream": stream} | content | fields
    given = {name: value for name, value in fields.items() if value is not None}
    body = json.dumps(given).encode()
    lines = {"anthropic-version": "2023-06-01", "content-length": len(body)}
    head = [f"{name}: {value}" for name, value in (lines | (headers or {})).items()]
    return "\r\n".join([f"POST {path} HTTP/1.1", *head, "", ""]).encode() + body


@dataclass
class Reply:
    """Everything a connection brought until it ended, and how it ended."""

    data: bytes
    ending: Literal["fin", "reset"]

    @property
    def status(self) -> int:
        return int(self.data.split(b" ", 2)[1])

    @property
    def headers(self) -> dict[str, str]:
        lines = self.data.split(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        return dict(line.split(": ", 1) for line in lines)

    @property
    def body(self) -> bytes:
        body = self.data.split(b"\r\n\r\n", 1)[1]
        chunked = self.headers.get("transfer-encoding") == "chunked"
        return b"".join(dechunk(body)) if chunked else body

    @property
    def is_complete_http(self) -> bool:
        """Did the response end where its framing says?"""
        if "content-length" in self.headers:
            return len(self.body) == int(self.headers["content-length"])
        return self.data.endswith(b"0\r\n\r\n")

    def json(self) -> Json:
        return json.loads(self.body)

    def events(self) -> list["SSE"]:
        return parse_sse(self.body)

    def chunks(self) -> list[Json]:
        """The JSON of all events."""
        return [json.loads(e.data) for e in self.events() if e.data != "[DONE]"]


def dechunk(body: bytes) -> list[bytes]:
    chunks = []
    while body:
        size, body = body.split(b"\r\n", 1)
        length = int(size, 16)
        chunks.append(body[:length])
        body = body[length + 2 :]
    return chunks


@dataclass
class SSE:
    data: str
    name: str = ""


def parse_sse(body: bytes) -> list[SSE]:
    """Server-sent events as the HTML standard reads them."""
    events, data, name = [], [], ""
    for line in re.split("\r\n|\r|\n", body.decode("utf-8-sig")):
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            data.append(value)
        elif field == "event":
            name = value
        elif not line:
            if data:
                events.append(SSE("\n".join(data), name))
            data, name = [], ""
    return events


@contextlib.asynccontextmanager
async def connect(
    upstream: FaultLLM,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(upstream.host, upstream.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def ask(
    upstream: FaultLLM,
    model: str,
    path: str = CHAT,
    *,
    stream: bool = False,
    headers: Json | None = None,
    **fields: object,
) -> Reply:
    """One request on its own connection, read until the connection ends."""
    headers = {"connection": "close"} | (headers or {})
    data = request_bytes(model, path, stream=stream, headers=headers, **fields)
    received = bytearray()
    async with connect(upstream) as (reader, writer):
        writer.write(data)
        try:
            while piece := await reader.read(65536):
                received += piece
        except ConnectionResetError:
            return Reply(bytes(received), "reset")
    return Reply(bytes(received), "fin")
