"""More clients than there is room for (R20)."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from gateway.ledger.books import Caller
from tests.faultllm import FaultLLM
from tests.harness import Gateway, Reply, ask, one_backend, serving

CALLERS = {
    f"key-{n}": Caller(scope=f"key:{n}", key_name=f"key-{n}", key_id=n)
    for n in range(8)
}


@asynccontextmanager
async def crowd(gateway: Gateway, **headers: str) -> AsyncIterator[list[asyncio.Task]]:
    """Six times as many requests as there are places, of eight keys."""
    tasks = [
        asyncio.create_task(
            ask(
                gateway,
                f"Question {number}",
                headers={"authorization": f"Bearer key-{number % 8}", **headers},
            )
        )
        for number in range(60)
    ]
    yield tasks
    await asyncio.gather(*tasks)


@pytest.mark.parametrize("headers", [{}, {"anthropic-version": "2023-06-01"}])
async def test_r20_who_finds_no_room_is_told_when_to_come_back(
    upstream: FaultLLM, tmp_path: Path, headers: dict[str, str]
):
    catalog = one_backend(upstream.url, "fault/hold")
    async with serving(catalog, tmp_path, keys=CALLERS, max_in_flight=10) as gateway:
        async with crowd(gateway, **headers) as tasks, httpx.AsyncClient() as client:
            await upstream.until(lambda: upstream.holding == 10, timeout=30)
            while sum(task.done() for task in tasks) < 50:
                await asyncio.sleep(0.005)
            health = await client.get(f"{gateway.url}/health")
            ready = await client.get(f"{gateway.url}/ready")
            upstream.release()
        replies = [task.result() for task in tasks]
        gateway.serve_catalog(one_backend(upstream.url))
        after = await ask(gateway, headers={"authorization": "Bearer key-1"})

    refused = [reply for reply in replies if reply.status != 200]
    assert Counter(reply.status == 200 for reply in replies) == {True: 10, False: 50}
    overloaded = 529 if headers else 503
    assert {reply.status for reply in refused} <= {429, overloaded}
    waits = {int(reply.headers["retry-after"]) for reply in refused}
    assert waits <= set(range(1, 31))
    assert len(waits) > 1  # jittered: they don't all come back together
    assert all(reply.headers["x-request-id"] for reply in refused)
    assert_in_the_clients_dialect(refused, anthropic=bool(headers))
    assert (health.status_code, ready.status_code) == (200, 200)
    assert after.status == 200
    assert upstream.max_concurrent == 10


def assert_in_the_clients_dialect(refused: list[Reply], *, anthropic: bool) -> None:
    kinds = {"rate_limit_error", "overloaded_error"}
    for reply in refused:
        assert (reply.json.get("type") == "error") == anthropic
        assert reply.json["error"]["type"] in kinds


async def test_r20_an_overload_loses_no_row_and_gives_every_place_back(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = one_backend(upstream.url, "fault/delay-20ms")
    async with serving(catalog, tmp_path, keys=CALLERS, max_in_flight=10) as gateway:
        for _ in range(3):
            async with crowd(gateway) as tasks:
                pass
            assert {task.result().status for task in tasks} <= {200, 429, 503}
        admission = gateway.runtime.admission
        places = (
            admission.in_flight,
            admission.held_bytes,
            len(gateway.runtime.inflight),
        )
        rows = gateway.records("attempt")

    assert places == (0, 0, 0)
    assert not admission.by_scope and not admission.by_key
    assert len(rows) == len(upstream.attempts)
    assert {row["state"] for row in rows} == {"billed"}
