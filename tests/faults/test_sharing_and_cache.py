"""Sharing and caching when calls fail, readers come late, clocks jump (D2-D13)."""

import asyncio
from itertools import product
from pathlib import Path

import pytest

from tests.faultllm import FaultLLM
from tests.harness import Clock, Gateway, Reply, ask, one_backend, serving

TTL = 300


async def together(
    gateway: Gateway, upstream: FaultLLM, count: int, holding: int = 1, **body: object
) -> list[Reply]:
    """So many requests under way at once before the provider says a word."""
    asked = [asyncio.create_task(ask(gateway, **body)) for _ in range(count)]
    await gateway.called(count)
    await upstream.until(lambda: upstream.holding == holding)
    upstream.release()
    return await asyncio.gather(*asked)


@pytest.mark.parametrize("stream", [False, True])
async def test_d2_a_failure_reaches_fifty_waiters_and_is_bought_once(
    upstream: FaultLLM, tmp_path: Path, stream: bool
):
    catalog = one_backend(upstream.url, "fault/hold+status-500")
    async with serving(catalog, tmp_path) as gateway:
        replies = await together(gateway, upstream, 50, stream=stream)
        await gateway.settled()

    assert {reply.status for reply in replies} == {502}
    assert len({reply.headers["x-request-id"] for reply in replies}) == 50
    assert upstream.total == 1


async def test_d5_who_joins_a_stream_late_hears_it_from_its_first_word(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = one_backend(upstream.url, "fault/words-40+hold-after-20")
    async with serving(catalog, tmp_path) as gateway:
        first = asyncio.create_task(ask(gateway, stream=True))
        await upstream.until(lambda: upstream.holding == 1)
        late = [asyncio.create_task(ask(gateway, stream=True)) for _ in range(3)]
        await gateway.called(4)
        upstream.release()
        leader, *others = await asyncio.gather(first, *late)

    assert leader.events[-1] == "[DONE]"
    assert [reply.text for reply in others] == [leader.text] * 3
    assert {reply.headers["x-llm-router-cache"] for reply in others} == {"SHARED"}
    assert upstream.total == 1


@pytest.mark.parametrize(
    "body", [{"temperature": 1}, {"n": 2}, {"headers": {"cache-control": "no-store"}}]
)
async def test_d6_who_asks_for_samples_gets_as_many_as_were_asked_for(
    upstream: FaultLLM, tmp_path: Path, body: dict
):
    catalog = one_backend(upstream.url, "fault/hold")
    async with serving(catalog, tmp_path) as gateway:
        replies = await together(gateway, upstream, 5, holding=5, **body)

    assert {reply.headers["x-llm-router-cache"] for reply in replies} == {"BYPASS"}
    assert upstream.total == 5


async def test_d8_the_one_who_led_pays_and_the_others_name_him(
    upstream: FaultLLM, tmp_path: Path
):
    async with serving(one_backend(upstream.url, "fault/hold"), tmp_path) as gateway:
        await together(gateway, upstream, 5)
        await gateway.settled()
        rows, attempts = gateway.records("request"), gateway.records("attempt")

    (leader,) = (row for row in rows if row["cache"] == "MISS")
    followers = [row for row in rows if row is not leader]
    assert [attempt["request_id"] for attempt in attempts] == [leader["request_id"]]
    assert leader["cost_nano"] == attempts[0]["cost_nano"] > 0
    assert {(row["cache"], row["cost_nano"]) for row in followers} == {("SHARED", 0)}
    assert {row["answered_by"] for row in followers} == {leader["request_id"]}


async def test_d9_when_a_much_asked_answer_expires_it_is_bought_once(
    upstream: FaultLLM, tmp_path: Path
):
    clock = Clock()
    catalog = one_backend(upstream.url, "fault/hold", cache_ttl_seconds=TTL)
    async with serving(catalog, tmp_path, clock=clock) as gateway:
        await together(gateway, upstream, 1)
        before = await ask(gateway)
        clock.now += TTL * 1.1  # the latest that jitter allows
        replies = await together(gateway, upstream, 200)
        after = await ask(gateway)

    assert before.headers["x-llm-router-cache"] == "HIT"
    labels = [reply.headers["x-llm-router-cache"] for reply in replies]
    assert (labels.count("MISS"), labels.count("SHARED")) == (1, 199)
    assert after.headers["x-llm-router-cache"] == "HIT"
    assert upstream.total == 2


@pytest.mark.parametrize(
    ("script", "stream"),
    [
        *product(["length", "refusal", "content-filter", "tool-call"], [False, True]),
        *product(["status-400", "status-500"], [False, True]),
        ("half-json", False),
        ("end-after-3", True),
    ],
)
async def test_d11_what_is_no_whole_answer_is_bought_again(
    upstream: FaultLLM, tmp_path: Path, script: str, stream: bool
):
    catalog = one_backend(upstream.url, f"fault/{script}")
    async with serving(catalog, tmp_path) as gateway:
        await ask(gateway, stream=stream)
        await gateway.settled()
        again = await ask(gateway, stream=stream)

    assert again.headers["x-llm-router-cache"] == "MISS"
    assert upstream.total == 2


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
async def test_d13_when_the_wall_clock_jumps_nothing_expires_or_lives_for_ever(
    upstream: FaultLLM, tmp_path: Path, jump: float
):
    clock, wall = Clock(), Clock(1_700_000_000.0)
    catalog = one_backend(upstream.url, "fault/hold", cache_ttl_seconds=TTL)
    async with serving(catalog, tmp_path, clock=clock, wall=wall) as gateway:
        call = asyncio.create_task(ask(gateway))
        await upstream.until(lambda: upstream.holding == 1)
        wall.now += jump
        clock.now += 1.5
        upstream.release()
        await call
        clock.now += TTL * 0.9 - 2
        kept = await ask(gateway)
        clock.now += TTL * 0.2
        (gone,) = await together(gateway, upstream, 1)
        rows = gateway.records("request")

    assert kept.headers["x-llm-router-cache"] == "HIT"
    assert gone.headers["x-llm-router-cache"] == "MISS"
    assert [row["latency_ms"] for row in rows][:2] == [1500, 0]
