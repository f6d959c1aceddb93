"""How a test directs the upstream, and what it learns."""

import asyncio
import contextlib
import gc
import socket
import warnings
from pathlib import Path

import pytest

from tests.faultllm import FaultLLM, read_journal
from tests.faultllm_selftest.raw import ask, connect, request_bytes


async def test_the_script_queue_comes_first_then_the_model_again(
    upstream: FaultLLM,
) -> None:
    upstream.script = ["status-500", "ok"]

    statuses = [(await ask(upstream, "fault/status-503")).status for _ in range(3)]

    assert statuses == [500, 200, 503]


async def test_always_takes_the_upstream_down_with_its_probe(
    upstream: FaultLLM,
) -> None:
    probe = b"GET /v1/models HTTP/1.1\r\nconnection: close\r\n\r\n"

    async def probed() -> bytes:
        async with connect(upstream) as (reader, writer):
            writer.write(probe)
            return (await reader.read())[9:12]

    upstream.always = "status-503"
    assert (await ask(upstream, "m")).status == 503
    assert await probed() == b"503"

    upstream.always = ""
    assert (await ask(upstream, "m")).status == 200
    assert await probed() == b"200"
    assert (upstream.probes, upstream.total) == (2, 2)


async def test_an_upstream_comes_back_at_its_old_address(journal: Path) -> None:
    upstream = FaultLLM(journal=journal)
    async with upstream:
        await ask(upstream, "before")
    with pytest.raises(ConnectionRefusedError):
        await ask(upstream, "between")
    async with upstream:
        await ask(upstream, "after")

    assert [attempt.model for attempt in read_journal(journal)] == ["before", "after"]


@pytest.mark.parametrize("rounds", range(8))
def test_who_connects_while_it_ends_leaves_no_socket_open(rounds: int) -> None:
    async def connect_and_end() -> None:
        with contextlib.ExitStack() as clients:
            async with FaultLLM() as upstream:
                address = (upstream.host, upstream.port)
                for _ in range(3):
                    clients.enter_context(socket.create_connection(address))
                for _ in range(rounds):
                    await asyncio.sleep(0)

    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always", ResourceWarning)
        asyncio.run(connect_and_end())
        gc.collect()

    assert [str(complaint.message) for complaint in complaints] == []


async def test_a_coin_falls_the_same_for_the_same_seed() -> None:
    async def statuses(seed: int) -> list[int]:
        async with FaultLLM(seed=seed) as upstream:
            return [(await ask(upstream, "fault/flaky-20")).status for _ in range(100)]

    first = await statuses(1)

    assert first == await statuses(1)
    assert first != await statuses(2)
    assert 10 <= first.count(500) <= 30


async def test_concurrent_requests_are_counted(upstream: FaultLLM) -> None:
    asked = [asyncio.create_task(ask(upstream, "fault/hold")) for _ in range(5)]
    await upstream.until(lambda: upstream.holding == 5)
    upstream.release()
    await asyncio.gather(*asked)
    await ask(upstream, "m")

    assert upstream.max_concurrent == 5
    assert upstream.in_flight == 0
    assert len(upstream.requests_for("fault/hold")) == 5


async def test_attempts_remember_what_was_sent(upstream: FaultLLM) -> None:
    await ask(upstream, "m", headers={"x-client-request-id": "a-1"}, temperature=0.5)

    [attempt] = upstream.attempts
    assert attempt.attempt_id == "a-1"
    assert attempt.headers["anthropic-version"] == "2023-06-01"
    assert attempt.body["temperature"] == 0.5


async def test_only_the_last_attempts_are_kept() -> None:
    async with FaultLLM(keep=2) as upstream:
        for model in ("a", "b", "c"):
            await ask(upstream, model)

    assert [attempt.model for attempt in upstream.attempts] == ["b", "c"]
    assert upstream.total == 3


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /nowhere HTTP/1.1\r\n\r\n",
        b"POST /chat/completions HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}",
        b"POST /v1/messages HTTP/1.1\r\ncontent-length: 3\r\n\r\n[1]",
        b"nonsense\r\n\r\n",
    ],
)
async def test_what_is_no_request_for_an_answer_is_a_stray(
    upstream: FaultLLM, request_: bytes
) -> None:
    async with connect(upstream) as (reader, writer):
        writer.write(request_)
        assert (await reader.read()).startswith(b"HTTP/1.1 404 ")

    assert (upstream.strays, upstream.total) == (1, 0)


async def test_a_chunked_request_is_read(upstream: FaultLLM) -> None:
    head, body = request_bytes("m").split(b"\r\n\r\n", 1)
    line, *_ = head.split(b"\r\n")
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in (body[:7], body[7:]))
    async with connect(upstream) as (reader, writer):
        writer.write(
            line + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")

    assert upstream.attempts[0].bytes_in == len(body)


async def test_waiting_has_an_end(upstream: FaultLLM) -> None:
    with pytest.raises(TimeoutError):
        await upstream.until(lambda: False, timeout=0.01)
