"""Just enough HTTP/1.1: read a request, write a response that may be broken."""

import asyncio
import http
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from tests.faultllm.steps import Close, Send, Steps

Json = dict[str, Any]

HEAD_LIMIT = 1024 * 1024
BODY_LIMIT = 64 * 1024 * 1024
PHRASES = {status.value: status.phrase for status in http.HTTPStatus}


class BadRequest(Exception):
    """What arrived is not a request this upstream can read."""


@dataclass(frozen=True)
class Request:
    """`reused`: another request was answered on this connection before."""

    method: str
    path: str
    headers: dict[str, str]
    content: bytes
    reused: bool = False

    @cached_property
    def body(self) -> Json:
        try:
            body = json.loads(self.content)
        except ValueError as error:
            raise BadRequest(f"The body is not JSON: {error}") from error
        if not isinstance(body, dict):
            raise BadRequest("The body is not a JSON object.")
        return body

    @property
    def stream(self) -> bool:
        return self.method == "POST" and self.body.get("stream") is True

    @property
    def keep_alive(self) -> bool:
        return self.headers.get("connection", "").lower() != "close"


async def read_request(reader: asyncio.StreamReader, reused: bool) -> Request | None:
    """The next request of a connection, or None when its peer has left."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    except asyncio.LimitOverrunError as error:
        raise BadRequest("The header section is too long.") from error
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    try:
        method, target, _ = first.split(" ")
    except ValueError as error:
        raise BadRequest("Not an HTTP request line.") from error
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    try:
        content = await read_body(reader, headers)
    except asyncio.IncompleteReadError:
        return None
    return Request(method, target.partition("?")[0], headers, content, reused)


async def read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return await read_chunks(reader)
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > BODY_LIMIT:
        raise BadRequest(f"Content-Length {length} is refused.")
    return await reader.readexactly(int(length))


async def read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        if len(body) + size > BODY_LIMIT:
            raise BadRequest("The body is too long.")
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")
    return bytes(body)


@dataclass(slots=True)
class Chunk:
    """A piece of a body and the tokens generated for it, as in `Send`."""

    data: bytes
    tokens: int | None = None


@dataclass(slots=True)
class Response:
    """`framing` says how the client learns where the body ends: a Content-Length,
    chunked coding, or the end of the connection."""

    status: int
    headers: dict[str, str]
    chunks: Iterable[Chunk]
    framing: Literal["length", "chunked", "close"] = "length"

    def replace_body(self, body: bytes, content_type: str) -> None:
        """Say something else; what was generated stays billed."""
        self.chunks = [Chunk(body, tokens_of(self.chunks))]
        self.framing = "length"
        self.headers["content-type"] = content_type


def json_response(status: int, body: Json) -> Response:
    headers = {"content-type": "application/json"}
    return Response(status, headers, [Chunk(json.dumps(body).encode())])


def tokens_of(parts: Iterable[Chunk | Send]) -> int | None:
    """What generating all of it bills; None when none of it is billed."""
    billed = [part.tokens for part in parts if part.tokens is not None]
    return sum(billed) if billed else None


def send_response(response: Response) -> Steps:
    """One write for a body of known length, else one per chunk as it comes."""
    if response.framing == "length":
        chunks = response.chunks = list(response.chunks)
        yield Send(render_whole(response), "whole", tokens_of(chunks))
    elif response.framing == "close":
        yield Send(render_head(response, "connection: close"), "head")
        for chunk in response.chunks:
            yield Send(chunk.data, "chunk", chunk.tokens)
        yield Close()
    else:
        yield Send(render_head(response, "transfer-encoding: chunked"), "head")
        yield from send_chunked(response.chunks)


def send_chunked(chunks: Iterable[Chunk]) -> Steps:
    """The terminator leaves with the last chunk: clients that stop reading at [DONE]
    would otherwise look as if they had hung up."""
    held: Chunk | None = None
    for chunk in chunks:
        if held is not None:
            yield Send(chunked(held.data), "chunk", held.tokens)
        held = chunk
    if held is None:
        yield Send(b"0\r\n\r\n")
    else:
        yield Send(chunked(held.data) + b"0\r\n\r\n", "chunk", held.tokens)


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def render_whole(response: Response) -> bytes:
    body = b"".join(chunk.data for chunk in response.chunks)
    return render_head(response, f"content-length: {len(body)}") + body


def render_head(response: Response, framing: str) -> bytes:
    lines = [f"HTTP/1.1 {response.status} {PHRASES.get(response.status, '')}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    return "\r\n".join([*lines, framing, "", ""]).encode()
