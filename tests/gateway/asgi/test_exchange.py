"""What goes over the wire when an answer is written at once."""

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.asgi.exchange import Exchange
from tests.faultllm import FaultLLM
from tests.faults.clients import CHAT, PATH
from tests.harness import one_backend, serving


def request(content: str, version: str = "1.1", extra: str = "") -> bytes:
    message = {"role": "user", "content": content}
    body = json.dumps({**CHAT, "messages": [message]})
    return (
        f"POST {PATH} HTTP/{version}\r\nhost: localhost\r\n{extra}"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}"
    ).encode()


async def conversation(gateway, sent: bytes, answers: int) -> list[bytes]:
    """Heads and bodies of so many answers on one connection."""
    port = int(gateway.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        found = []
        for _ in range(answers):
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            found.append(head + await reader.readexactly(length))
        return found
    finally:
        writer.close()


async def test_requests_sent_at_once_are_answered_in_their_order(
    upstream: FaultLLM, tmp_path: Path
):
    async with serving(one_backend(upstream.url), tmp_path) as gateway:
        sent = b"".join(request(f"Count to {n}.") for n in range(5))
        together = await conversation(gateway, sent, 5)
        one_by_one = [
            (await conversation(gateway, request(f"Count to {n}."), 1))[0]
            for n in range(5)
        ]

    def ids(answers: list[bytes]) -> list[str]:
        return [json.loads(a.split(b"\r\n\r\n", 1)[1])["id"] for a in answers]

    assert len(set(ids(together))) == 5
    assert ids(one_by_one) == ids(together)  # from the cache
    assert all(b"\r\nx-llm-router-cache: HIT\r\n" in answer for answer in one_by_one)


async def test_an_answer_has_a_date_and_one_length(upstream: FaultLLM, tmp_path: Path):
    async with serving(one_backend(upstream.url), tmp_path) as gateway:
        [answer] = await conversation(gateway, request("Count."), 1)

    head = answer.split(b"\r\n\r\n")[0].lower()
    assert head.startswith(b"http/1.1 200 ok\r\n")
    assert head.count(b"\r\ndate: ") == 1
    assert head.count(b"\r\ncontent-length: ") == 1
    assert b"\r\nconnection:" not in head


@pytest.mark.parametrize(
    ("version", "extra"), [("1.0", ""), ("1.1", "connection: close\r\n")]
)
async def test_a_connection_that_should_end_says_so_and_ends(
    version: str, extra: str, upstream: FaultLLM, tmp_path: Path
):
    async with serving(one_backend(upstream.url), tmp_path) as gateway:
        port = int(gateway.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("Count.", version, extra))
        answer = await asyncio.wait_for(reader.read(), 10)  # until its end
        writer.close()

    assert b"\r\nconnection: close\r\n" in answer


@pytest.mark.parametrize("bad", ["a\r\nset-cookie: b", "a\nb", "a\rb"])
def test_a_value_with_a_line_break_is_never_sent(bad: str):
    written: list[bytes] = []
    cycle = SimpleNamespace(
        disconnected=False,
        keep_alive=True,
        default_headers=[],
        transport=SimpleNamespace(write=written.append),
    )

    with pytest.raises(ValueError, match="line break"):
        Exchange(cycle, lambda callback: None).answer(200, [("x-model", bad)], b"{}")

    assert written == []
