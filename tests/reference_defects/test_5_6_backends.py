"""Defects 5 and 6 of the reference: an idle expensive model was asked before a busy
cheap one; a backend was down by a client's doing, and down for ever."""

import asyncio
from pathlib import Path

import pytest

from tests.faultllm import FaultLLM
from tests.harness import Gateway, ask, one_backend, serving, three_tiers


async def test_5_a_busy_cheap_backend_is_asked_before_an_idle_dear_one(
    upstream: FaultLLM, tmp_path: Path
):
    async with serving(three_tiers(upstream.url), tmp_path) as gateway:
        upstream.script = ["hold"] * 20
        calls = [
            asyncio.create_task(ask(gateway, f"Simple question {n}")) for n in range(20)
        ]
        await upstream.until(lambda: upstream.holding == 20)
        upstream.release()
        replies = await asyncio.gather(*calls)

    assert {reply.headers["x-llm-router-model"] for reply in replies} == {"small"}
    assert {attempt.model for attempt in upstream.attempts} == {"small"}


async def test_6_clients_who_hang_up_mark_nobody_down(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = one_backend(upstream.url, "fault/hold")
    async with serving(catalog, tmp_path) as gateway:
        for number in range(8):
            call = asyncio.create_task(ask(gateway, f"{number}"))
            await upstream.until(lambda seen=number: len(upstream.attempts) > seen)
            call.cancel()
            await gateway.settled()
        (row,) = gateway.runtime.pool.status(gateway.runtime.snapshot.catalog)

    assert row["errors"] == 0
    assert row["status"] in ("starting", "healthy")


@pytest.mark.parametrize("status", [400, 404, 413, 422])
async def test_6_a_clients_own_mistake_marks_nobody_down(
    upstream: FaultLLM, tmp_path: Path, status: int
):
    catalog = one_backend(upstream.url)
    async with serving(catalog, tmp_path) as gateway:
        upstream.always = f"status-{status}"
        for number in range(8):
            await ask(gateway, f"{number}")
        upstream.always = ""
        good = await ask(gateway)
        (row,) = gateway.runtime.pool.status(gateway.runtime.snapshot.catalog)

    assert good.status == 200
    assert row["status"] == "healthy"


async def test_6_down_is_not_for_ever(upstream: FaultLLM, tmp_path: Path):
    async with serving(one_backend(upstream.url), tmp_path) as gateway:
        upstream.always = "status-500"
        while status_of(gateway) != "down":
            await ask(gateway, "Down?")
        upstream.always = ""
        async with asyncio.timeout(20):
            while (await ask(gateway)).status != 200:
                await asyncio.sleep(0.05)

        assert status_of(gateway) != "down"


def status_of(gateway: Gateway) -> str:
    (row,) = gateway.runtime.pool.status(gateway.runtime.snapshot.catalog)
    return row["status"]
