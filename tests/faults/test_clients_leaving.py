"""Clients that hang up, and one that doesn't read (C1-C4)."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.faultllm import FaultLLM, blackhole
from tests.faults.clients import (
    CHAT,
    PATH,
    hung_up,
    send_and_hang_up,
)
from tests.harness import ask, one_backend, serving


@pytest.mark.parametrize("stream", [False, True])
async def test_c1_a_client_that_leaves_before_the_answer_cancels_the_call(
    upstream: FaultLLM, tmp_path: Path, stream: bool
):
    async with serving(one_backend(upstream.url, "fault/hold"), tmp_path) as gateway:
        await send_and_hang_up(gateway, stream, upstream=upstream)
        await upstream.until(lambda: hung_up(upstream))
        await gateway.settled()
        (attempt,) = gateway.records("attempt")
        (request,) = gateway.records("request")

    assert (request["status"], request["outcome"]) == (499, "client_closed")
    assert attempt["state"] == "estimated"
    assert attempt["error_code"] == "client_closed"


async def test_c1_a_call_that_was_never_sent_is_free(tmp_path: Path):
    with blackhole() as port:
        catalog = one_backend(f"http://127.0.0.1:{port}")
        async with serving(catalog, tmp_path) as gateway:
            await send_and_hang_up(gateway, stream=False)
            await gateway.settled()
            (attempt,) = gateway.records("attempt")

    assert (attempt["state"], attempt["cost_nano"]) == ("free", 0)
    assert attempt["error_code"] == "client_closed"


async def test_c2_a_reader_who_leaves_mid_stream_is_billed_for_what_came(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = one_backend(upstream.url, "fault/words-40+hold-after-20")
    async with serving(catalog, tmp_path) as gateway:
        await send_and_hang_up(gateway, True, 2000, upstream)
        await upstream.until(lambda: hung_up(upstream))
        await gateway.settled()
        (attempt,) = gateway.records("attempt")

    bill = upstream.attempts[0]
    assert attempt["state"] == "estimated"
    assert attempt["completion_tokens"] >= 0.95 * bill.completion_billed


async def test_c2_a_drained_call_is_billed_exactly(upstream: FaultLLM, tmp_path: Path):
    catalog = one_backend(
        upstream.url, "fault/words-40+hold-after-20", on_disconnect="drain"
    )
    async with serving(catalog, tmp_path) as gateway:
        await send_and_hang_up(gateway, True, 2000, upstream)
        while gateway.runtime.admission.in_flight:
            await asyncio.sleep(0.005)
        upstream.release()
        await gateway.settled()
        (attempt,) = gateway.records("attempt")

    bill = upstream.attempts[0]
    assert attempt["state"] == "billed"
    assert attempt["late"]
    assert attempt["completion_tokens"] == bill.completion_billed


@pytest.mark.parametrize("leaving", [{0}, {1}, {0, 1, 2, 3}, {4}, {0, 4}])
async def test_c3_those_who_stay_get_their_answer_whoever_leaves(
    upstream: FaultLLM, tmp_path: Path, leaving: set[int]
):
    async with serving(one_backend(upstream.url, "fault/hold"), tmp_path) as gateway:
        calls = []
        for _ in range(5):  # one after the other, so that the first one leads
            calls.append(asyncio.create_task(ask(gateway)))
            await gateway.called(len(calls))
        for number in leaving:
            calls[number].cancel()
        while gateway.runtime.admission.in_flight > 5 - len(leaving):
            await asyncio.sleep(0.005)
        upstream.release()
        stayed = [await call for n, call in enumerate(calls) if n not in leaving]

    assert {reply.status for reply in stayed} == {200}
    assert len({reply.text for reply in stayed}) == 1
    assert len(upstream.attempts) == 1


async def test_c4_a_client_that_does_not_read_holds_up_only_itself(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = one_backend(upstream.url, "fault/endless")
    async with serving(catalog, tmp_path) as gateway:
        host, port = gateway.url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port), limit=1024)
        body = json.dumps({**CHAT, "stream": True}).encode()
        writer.write(
            f"POST {PATH} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json"
            f"\r\ncontent-length: {len(body)}\r\n\r\n".encode()
            + body
        )
        await upstream.until(lambda: upstream.total == 1)
        gateway.serve_catalog(one_backend(upstream.url))
        (call,) = gateway.runtime.inflight.calls
        (reader,) = call.readers
        bound = call.bounds.join_bytes
        await upstream.until(lambda: reader.behind > bound, timeout=30)
        others = [await ask(gateway, f"{number}") for number in range(10)]
        held = reader.behind
        writer.close()
        await gateway.settled()

    assert {other.status for other in others} == {200}
    # The provider went on meanwhile, but nothing more was taken from it.
    assert held - bound < 1000
