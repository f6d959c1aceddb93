"""The billing oracle: one entry per attempt, and what it would cost."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from tests.faultllm import FaultLLM, read_journal
from tests.faultllm_selftest.raw import MESSAGES, ask, connect, request_bytes


async def test_each_attempt_has_one_entry_of_two_lines(
    upstream: FaultLLM, journal: Path
) -> None:
    models = ["m", "fault/status-500", "fault/rst-after-2", "fault/cut-at-byte-50"]
    await asyncio.gather(
        *(
            ask(upstream, model, stream=True, headers={"x-client-request-id": str(at)})
            for at, model in enumerate(models * 10)
        )
    )

    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [line["event"] for line in lines].count("received") == 40
    assert [line["event"] for line in lines].count("finished") == 40
    attempts = read_journal(journal)
    assert sorted(int(attempt.attempt_id) for attempt in attempts) == list(range(40))
    assert len({attempt.id for attempt in attempts}) == 40


async def test_the_journal_says_what_memory_says(
    upstream: FaultLLM, journal: Path
) -> None:
    await ask(upstream, "m", MESSAGES, headers={"x-api-key": "sk-secret"})
    await ask(upstream, "fault/stall-after-2+rst-after-1", stream=True)

    written = read_journal(journal)
    for attempt in upstream.attempts:
        attempt.headers, attempt.body = {}, {}
    assert written == upstream.attempts


@pytest.mark.parametrize(
    ("script", "stream", "prompt", "completion"),
    [
        ("ok", False, 3, 7),
        ("ok", True, 3, 7),
        ("words-40", True, 3, 40),
        ("words-40+rst-after-11", True, 3, 10),
        ("words-40+cut-at-byte-5", False, 3, 40),
        ("words-40+end-after-0", True, 0, 0),
        ("words-40+error-event-at-6", True, 3, 5),
        ("html-200", False, 3, 7),
        ("status-500", False, 0, 0),
        ("status-429", True, 0, 0),
        ("redirect-302=http://127.0.0.1:1/", False, 0, 0),
        ("tool-call", True, 3, 3),
    ],
)
async def test_what_was_generated_is_billed(
    upstream: FaultLLM, script: str, stream: bool, prompt: int, completion: int
) -> None:
    await ask(upstream, f"fault/{script}", stream=stream)

    await upstream.until(lambda: upstream.in_flight == 0)
    [attempt] = upstream.attempts
    assert (attempt.prompt_billed, attempt.completion_billed) == (prompt, completion)


@pytest.mark.parametrize("script", ["stall-before-headers", "delay-60s", "hold"])
async def test_a_peer_that_hangs_up_is_noticed_before_an_answer(
    upstream: FaultLLM, script: str
) -> None:
    async with connect(upstream) as (_, writer):
        writer.write(request_bytes(f"fault/{script}"))
        await upstream.until(lambda: upstream.in_flight == 1)
        hung_up = time.time()

    await upstream.until(lambda: upstream.in_flight == 0)
    [attempt] = upstream.attempts
    assert attempt.outcome == "peer-closed"
    assert attempt.peer_closed_at is not None
    assert attempt.peer_closed_at >= hung_up


async def test_who_hangs_up_in_a_stream_stops_the_bill(upstream: FaultLLM) -> None:
    async with connect(upstream) as (_, writer):
        writer.write(request_bytes("fault/words-40+hold-after-6", stream=True))
        await upstream.until(lambda: upstream.holding == 1)

    await upstream.until(lambda: upstream.in_flight == 0)
    [attempt] = upstream.attempts
    assert (attempt.chunks_out, attempt.completion_billed) == (6, 5)
    assert attempt.peer_closed_at is not None


async def test_who_reads_to_the_end_has_not_hung_up(upstream: FaultLLM) -> None:
    async with connect(upstream) as (reader, writer):
        writer.write(request_bytes("m", stream=True))
        await reader.readuntil(b"[DONE]")

    [attempt] = upstream.attempts
    assert attempt.outcome == "completed"
    assert attempt.peer_closed_at is None


async def test_a_request_that_never_came_whole_is_no_attempt(
    upstream: FaultLLM, journal: Path
) -> None:
    async with connect(upstream) as (_, writer):
        writer.write(request_bytes("m")[:-10])

    await ask(upstream, "m")
    assert len(read_journal(journal)) == upstream.total == 1


async def test_keys_are_recognised_and_never_kept(
    upstream: FaultLLM, journal: Path
) -> None:
    await ask(upstream, "m", headers={"authorization": "Bearer sk-one"})
    await ask(upstream, "m", headers={"x-api-key": "sk-two"})

    assert upstream.saw_key("sk-one")
    assert upstream.saw_key("sk-two")
    assert not upstream.saw_key("sk-three")
    kept = journal.read_text() + "".join(str(a.headers) for a in upstream.attempts)
    assert "sk-one" not in kept
    assert "sk-two" not in kept


async def test_an_attempt_is_finished_when_the_server_closes(journal: Path) -> None:
    async with FaultLLM(journal=journal) as upstream:
        reader, writer = await asyncio.open_connection(upstream.host, upstream.port)
        writer.write(request_bytes("fault/stall-after-1", stream=True))
        await reader.readuntil(b"data:")
    writer.close()

    [attempt] = read_journal(journal)
    assert (attempt.outcome, attempt.peer_closed_at) == ("server-closed", None)


async def test_a_torn_last_line_is_not_read(upstream: FaultLLM, journal: Path) -> None:
    await ask(upstream, "m")
    with journal.open("a") as file:
        file.write('{"event": "received", "id": "x-')

    assert len(read_journal(journal)) == 1


async def test_upstreams_share_a_journal(upstream: FaultLLM, journal: Path) -> None:
    async with FaultLLM(journal=journal) as other:
        await ask(upstream, "m")
        await ask(other, "m")

    assert [attempt.outcome for attempt in read_journal(journal)] == ["completed"] * 2
