"""L10: 200 identical requests, 50 times, a third of them hanging up at random."""

import asyncio
from pathlib import Path
from random import Random

import orjson
import pytest

from tests.faultllm import FaultLLM, ThreadedFaultLLM
from tests.harness import one_backend, serving
from tests.instance import Instance
from tests.redis_server import RedisServer

pytestmark = pytest.mark.slow
ROUNDS, TOGETHER, LEAVING = 50, 200, 0.3


async def post(url: str, body: bytes) -> bytes:
    """One request on a connection of its own; the whole response."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: {host}\r\n"
            "content-type: application/json\r\nconnection: close\r\n"
            f"content-length: {len(body)}\r\n\r\n".encode()
            + body
        )
        return await reader.read()
    finally:
        writer.close()


async def one_round(url: str, number: int, random: Random) -> None:
    """Everybody asks the same at once; those who stay get the answer."""
    question = {"role": "user", "content": f"Is {number} a prime number?"}
    stream = bool(number % 2)
    body = orjson.dumps({"messages": [question], "stream": stream})
    calls = [asyncio.create_task(post(url, body)) for _ in range(TOGETHER)]
    leaving = random.sample(calls, int(TOGETHER * LEAVING))
    for call in leaving:
        asyncio.get_running_loop().call_later(random.uniform(0, 0.3), call.cancel)
    done = await asyncio.gather(*calls, return_exceptions=True)
    replies = [reply for reply in done if isinstance(reply, bytes)]
    assert len(replies) >= TOGETHER - len(leaving)
    for reply in replies:
        head, _, text = reply.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        assert (b"data: [DONE]" in text) == stream
    if not stream:
        assert len({reply.partition(b"\r\n\r\n")[2] for reply in replies}) == 1


async def all_rounds(url: str, random: Random) -> None:
    for number in range(ROUNDS):
        await one_round(url, number, random)


async def test_l10_in_one_process_each_round_is_one_call(
    upstream: FaultLLM, tmp_path: Path
):
    upstream.always = "words-20+delay-300ms"
    async with serving(one_backend(upstream.url), tmp_path) as gateway:
        await all_rounds(gateway.url, Random(1))
        await gateway.settled()

    assert len(upstream.attempts) == ROUNDS
    assert {attempt.outcome for attempt in upstream.attempts} == {"completed"}


@pytest.mark.service
async def test_l10_on_two_workers_with_redis_each_round_is_one_call(
    threaded_upstream: ThreadedFaultLLM, redis: RedisServer, tmp_path: Path
):
    threaded_upstream.always = "words-20+delay-300ms"
    instance = Instance(tmp_path, threaded_upstream.url)
    # A machine that is busy with tests may starve Redis for longer than usual.
    environ = {"REDIS_URL": redis.url, "LLM_ROUTER_REDIS_TIMEOUT_MS": "5000"}
    process = await asyncio.to_thread(instance.start, "--workers", "2", environ=environ)
    try:
        await all_rounds(instance.url, Random(2))
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 30)
    rows = instance.query("SELECT cache, count(*) FROM gateway_requestlog GROUP BY 1")
    (paid,) = instance.query("SELECT count(*) FROM gateway_attempt")[0]

    assert threaded_upstream.total == paid == ROUNDS
    assert dict(rows)["MISS"] >= ROUNDS
    assert sum(dict(rows).values()) <= ROUNDS * TOGETHER
