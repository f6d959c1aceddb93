"""Scripts that stop, stall, cut and reset."""

import asyncio

import pytest

from tests.faultllm import FaultLLM
from tests.faultllm_selftest.raw import (
    CHAT,
    MESSAGES,
    Reply,
    ask,
    connect,
    request_bytes,
)


async def received_while(upstream: FaultLLM, data: bytes, chunks: int) -> Reply:
    """What has come when so many chunks are out; then the client hangs up."""
    async with connect(upstream) as (reader, writer):
        writer.write(data)
        await upstream.until(lambda: upstream.attempts[-1:] != [])
        [attempt] = upstream.attempts
        await upstream.until(lambda: attempt.chunks_out == chunks)
        received = await reader.readexactly(attempt.bytes_out)
        assert attempt.outcome == ""
    await upstream.until(lambda: attempt.outcome != "")
    return Reply(received, "fin")


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize("count", [0, 1, 4])
async def test_a_stream_stalls_after_so_many_chunks(
    upstream: FaultLLM, count: int, path: str
) -> None:
    data = request_bytes(f"fault/stall-after-{count}", path, stream=True)

    async with connect(upstream) as (reader, writer):
        writer.write(data)
        head = await reader.readuntil(b"\r\n\r\n")
        body = b"".join([await reader.readuntil(b"\n\n\r\n") for _ in range(count)])
        await upstream.until(lambda: upstream.attempts[0].chunks_out == count)
        assert upstream.attempts[0].bytes_out == len(head + body)
        assert upstream.attempts[0].outcome == ""

    await upstream.until(lambda: upstream.attempts[0].outcome == "peer-closed")


async def test_a_whole_answer_stalls_halfway(upstream: FaultLLM) -> None:
    reply = await received_while(upstream, request_bytes("fault/stall-after-1"), 1)

    assert reply.status == 200
    assert 0 < len(reply.body) < int(reply.headers["content-length"])
    assert upstream.attempts[0].completion_billed == 7


@pytest.mark.parametrize("stream", [False, True])
async def test_silence_before_the_headers_is_the_dearest(
    upstream: FaultLLM, stream: bool
) -> None:
    async with connect(upstream) as (_, writer):
        writer.write(request_bytes("fault/stall-before-headers", stream=stream))
        await upstream.until(
            lambda: upstream.total == 1 and upstream.attempts[0].billed
        )

    await upstream.until(lambda: upstream.in_flight == 0)
    [attempt] = upstream.attempts
    assert (attempt.status, attempt.bytes_out) == (0, 0)
    assert (attempt.prompt_billed, attempt.completion_billed) == (3, 7)


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize("stream", [False, True])
async def test_a_response_can_be_cut_after_every_byte(
    upstream: FaultLLM, path: str, stream: bool
) -> None:
    """The model's name is in each chunk, so all scripts need names of one length."""
    length = len(
        (await ask(upstream, "fault/cut-at-byte-9999", path, stream=stream)).data
    )

    for count in range(0, length + 1, 37):
        model = f"fault/cut-at-byte-{count:04}"
        reply = await ask(upstream, model, path, stream=stream)

        assert reply.ending == "fin"
        assert len(reply.data) == count


@pytest.mark.parametrize("stream", [False, True])
async def test_a_connection_can_be_reset(upstream: FaultLLM, stream: bool) -> None:
    reply = await ask(upstream, "fault/rst-after-2", stream=stream)

    assert reply.ending == "reset"
    assert upstream.attempts[0].outcome == "reset"
    assert upstream.attempts[0].chunks_out == (2 if stream else 1)


@pytest.mark.parametrize(
    ("path", "end"), [(CHAT, b"[DONE]"), (MESSAGES, b"message_stop")]
)
async def test_a_fin_can_come_in_place_of_the_end(
    upstream: FaultLLM, path: str, end: bytes
) -> None:
    reply = await ask(upstream, "fault/fin-without-done", path, stream=True)

    assert reply.ending == "fin"
    assert "transfer-encoding" not in reply.headers
    assert b'"1)"' in reply.body
    assert end not in reply.body


async def test_a_whole_answer_can_end_in_its_middle_with_a_fin(
    upstream: FaultLLM,
) -> None:
    reply = await ask(upstream, "fault/fin-without-done")

    assert "content-length" not in reply.headers
    assert reply.body.startswith(b'{"id"')
    assert not reply.body.endswith(b"}")


async def test_a_stream_can_end_early_in_perfect_http(upstream: FaultLLM) -> None:
    reply = await ask(upstream, "fault/end-after-3", stream=True)

    assert reply.is_complete_http
    assert len(reply.events()) == 3


async def test_a_fin_can_be_the_rightful_end(upstream: FaultLLM) -> None:
    whole = await ask(upstream, "fault/close-delimited")
    stream = await ask(upstream, "fault/close-delimited", stream=True)

    assert "content-length" not in whole.headers
    assert whole.json()["usage"]["completion_tokens"] == 7
    assert stream.events()[-1].data == "[DONE]"


async def test_a_connection_that_is_used_again_is_closed(upstream: FaultLLM) -> None:
    data = request_bytes("fault/close-on-reuse")
    async with connect(upstream) as (reader, writer):
        writer.write(data)
        await upstream.until(
            lambda: upstream.attempts[-1:] != [] and not upstream.in_flight
        )
        first = await reader.readexactly(upstream.attempts[0].bytes_out)
        writer.write(data)
        rest = await reader.read()

    assert Reply(first, "fin").is_complete_http
    assert rest == b""
    one, two = upstream.attempts
    assert one.connection == two.connection
    assert (one.billed, two.billed) == (True, False)
    assert (await ask(upstream, "fault/close-on-reuse")).status == 200


async def test_connections_are_kept_for_the_next_request(upstream: FaultLLM) -> None:
    async with connect(upstream) as (reader, writer):
        for number in (1, 2, 3):
            writer.write(request_bytes("m"))
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(Reply(head, "fin").headers["content-length"])
            assert b"(call %d)" % number in await reader.readexactly(length)

    assert [attempt.connection for attempt in upstream.attempts] == [1, 1, 1]


async def test_a_held_answer_goes_on_when_released(upstream: FaultLLM) -> None:
    async with connect(upstream) as (reader, writer):
        writer.write(request_bytes("fault/hold-after-2", stream=True))
        await upstream.until(lambda: upstream.holding == 1)
        assert upstream.attempts[0].chunks_out == 2

        upstream.release()

        assert (await reader.readuntil(b"0\r\n\r\n")).count(b"data: ") == 7
    assert upstream.holding == 0


async def test_an_endless_answer_waits_for_its_reader(upstream: FaultLLM) -> None:
    async with connect(upstream) as (reader, writer):
        writer.write(request_bytes("fault/endless"))
        await reader.readexactly(1_000_000)
        for _ in range(2_000):  # turns of the loop, each good for a piece of 64 KiB
            await asyncio.sleep(0)
        [attempt] = upstream.attempts
        assert attempt.bytes_out < 30_000_000

    await upstream.until(lambda: attempt.outcome == "peer-closed")
