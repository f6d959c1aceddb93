"""Server-sent events in other clothes are the same events."""

import json

import pytest

from tests.faultllm import FaultLLM
from tests.faultllm_selftest.raw import CHAT, MESSAGES, SSE, Reply, ask, connect
from tests.faultllm_selftest.raw import request_bytes as request


def read(reply: Reply) -> list[tuple[str, object]]:
    return [(event.name, value_of(event)) for event in reply.events()]


def value_of(event: SSE) -> object:
    return event.data if event.data == "[DONE]" else json.loads(event.data)


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize(
    ("script", "told_by"),
    [
        ("crlf", b"\r\n\r\n"),
        ("cr", b"}\r\r"),
        ("mixed", b"}\r\r\n"),
        ("nospace", b"data:{"),
        ("comments", b": keep-alive\n\n: note\n"),
        ("ids", b"id: 2\nretry: 1000\n"),
        ("bom", b"\xef\xbb\xbf"),
        ("multi-line", b'data: {\ndata:  "'),
        ("multi-line+comments+crlf+bom", b'data: {\r\ndata:  "'),
    ],
)
async def test_every_legal_form_reads_the_same(
    upstream: FaultLLM, script: str, told_by: bytes, path: str
) -> None:
    async with FaultLLM() as other:
        plain = await ask(other, "m", path, stream=True)

    upstream.script = [script]
    dressed = await ask(upstream, "m", path, stream=True)

    assert read(dressed) == read(plain)
    assert told_by in dressed.body
    assert told_by not in plain.body


async def test_mixed_has_every_pair_of_line_ends(upstream: FaultLLM) -> None:
    reply = await ask(upstream, "fault/mixed", stream=True)

    for ends in (b"}\n\r\n", b"}\r\n\n", b"}\r\r\n", b"}\r\n\rdata"):
        assert ends in reply.body


async def test_events_without_a_blank_line_between_them_are_one(
    upstream: FaultLLM,
) -> None:
    reply = await ask(upstream, "fault/no-blank-line", stream=True)

    assert b"\n\n" not in reply.body
    assert reply.body.count(b"data: ") == upstream.attempts[0].chunks_out


async def test_bytes_come_one_by_one(upstream: FaultLLM) -> None:
    """The loop runs between two writes, so that a reader here sees them singly."""
    data = request("fault/one-byte", stream=True, headers={"connection": "close"})
    received = []
    async with connect(upstream) as (reader, writer):
        writer.write(data)
        while piece := await reader.read(65536):
            received.append(piece)

    reply = Reply(b"".join(received), "fin")
    assert read(reply)[-1] == ("", "[DONE]")
    assert len(received) > len(reply.data) / 3


async def test_writes_end_inside_characters(upstream: FaultLLM) -> None:
    data = request("fault/split-utf8", stream=True, headers={"connection": "close"})
    received = []
    async with connect(upstream) as (reader, writer):
        writer.write(data)
        while piece := await reader.read(65536):
            received.append(piece)

    assert "漢字 🙂" in b"".join(received).decode()
    assert any(piece[0] & 0xC0 == 0x80 for piece in received)
