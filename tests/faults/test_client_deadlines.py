"""Clients that say how long they wait, alone and in company (D4)."""

import asyncio
from pathlib import Path

import httpx
import pytest

from tests.faultllm import FaultLLM
from tests.faults.clients import hung_up
from tests.harness import Gateway, Reply, ask, one_backend, serving
from tests.memory_state import MemoryState
from tests.workers import workers

SOON = {"x-llm-router-timeout": "0.05"}
IN_AN_HOUR = {"x-llm-router-timeout": "3600"}
HOLDING = "fault/hold"


def is_late(reply: Reply) -> bool:
    """One clear error, which no SDK tries again."""
    return (
        reply.status == 504
        and reply.error["code"] == "deadline_exceeded"
        and "0.05 s" in reply.error["message"]
        and reply.headers["x-should-retry"] == "false"
    )


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("impatient", [0, 1, 2])
async def test_d4_a_deadline_ends_one_wait_and_the_others_go_on(
    upstream: FaultLLM, tmp_path: Path, stream: bool, impatient: int
):
    async with serving(one_backend(upstream.url, HOLDING), tmp_path) as gateway:
        asked = []
        for number in range(3):
            headers = SOON if number == impatient else IN_AN_HOUR
            asked.append(
                asyncio.create_task(ask(gateway, stream=stream, headers=headers))
            )
            await upstream.until(lambda: upstream.holding == 1)
        late = await asked.pop(impatient)
        await gateway.called(2)
        upstream.release()
        others = await asyncio.gather(*asked)
        await gateway.settled()
        rows = gateway.records("request")
        (attempt,) = gateway.records("attempt")

    assert is_late(late)
    assert {reply.status for reply in others} == {200}
    assert len({reply.content for reply in others}) == 1
    assert upstream.total == 1
    assert attempt["state"] == "billed"
    assert sorted(row["status"] for row in rows) == [200, 200, 504]
    assert [row["error_code"] for row in rows if row["status"] == 504] == [
        "deadline_exceeded"
    ]


@pytest.mark.parametrize("stream", [False, True])
async def test_d4_a_call_that_nobody_waits_for_any_more_is_cancelled(
    upstream: FaultLLM, tmp_path: Path, stream: bool
):
    async with serving(one_backend(upstream.url, HOLDING), tmp_path) as gateway:
        replies = await asyncio.gather(
            *(ask(gateway, stream=stream, headers=SOON) for _ in range(3))
        )
        await upstream.until(lambda: hung_up(upstream))
        await gateway.settled()
        (attempt,) = gateway.records("attempt")

    assert all(map(is_late, replies))
    assert attempt["state"] == "estimated"


async def test_d4_a_deadline_in_the_middle_of_a_stream_ends_it_with_an_error(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = one_backend(upstream.url, "fault/words-40+hold-after-20")
    async with serving(catalog, tmp_path) as gateway:
        patient = asyncio.create_task(ask(gateway, stream=True))
        await upstream.until(lambda: upstream.holding == 1)
        late = await ask(gateway, stream=True, headers={"x-llm-router-timeout": "1"})
        upstream.release()
        whole = await patient

    assert late.status == 200 and late.headers["x-llm-router-cache"] == "SHARED"
    assert late.error["code"] == "deadline_exceeded"
    assert "[DONE]" not in late.events and len(late.events) == 20 + 1
    assert late.events[:-1] == whole.events[:20]
    assert whole.events[-1] == "[DONE]"
    assert upstream.total == 1


@pytest.mark.parametrize("impatient", [0, 1])
async def test_d4_a_deadline_on_one_worker_leaves_those_on_another_alone(
    upstream: FaultLLM, tmp_path: Path, impatient: int
):
    memory = MemoryState()
    catalog = one_backend(upstream.url, HOLDING)
    async with workers(catalog, tmp_path, lambda: memory) as gateways:
        asked = []
        for number, gateway in enumerate(gateways):
            headers = SOON if number == impatient else None
            asked.append(asyncio.create_task(ask(gateway, headers=headers)))
            await upstream.until(lambda: upstream.holding == 1)
        late = await asked.pop(impatient)
        upstream.release()
        (other,) = await asyncio.gather(*asked)

    assert is_late(late)
    assert other.status == 200
    assert upstream.total == 1


BODIES = {
    "chat/completions": {"messages": [{"role": "user", "content": "Hi"}]},
    "completions": {"prompt": "Hi"},
    "embeddings": {"input": "Hi"},
    "messages": {"max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]},
    "responses": {"input": "Hi"},
}


@pytest.mark.parametrize("endpoint", BODIES)
async def test_d4_every_endpoint_that_buys_keeps_the_deadline(
    upstream: FaultLLM, tmp_path: Path, endpoint: str
):
    model = "text-embedding-3-small" if endpoint == "embeddings" else "small"
    upstream.always = "hold"
    async with serving(one_backend(upstream.url, model), tmp_path) as gateway:
        reply = await post(gateway, endpoint)

    code = reply["error"].get("code") or reply["error"]["details"]["error_code"]
    assert (code, reply["error"]["type"]) == ("deadline_exceeded", "timeout_error")


async def post(gateway: Gateway, endpoint: str) -> dict:
    headers = {**SOON, "anthropic-version": "2023-06-01"}
    body = {"model": "small", **BODIES[endpoint]}
    async with httpx.AsyncClient(timeout=30, verify=False) as client:
        url = f"{gateway.url}/v1/{endpoint}"
        response = await client.post(url, json=body, headers=headers)
    assert response.status_code == 504
    return response.json()
