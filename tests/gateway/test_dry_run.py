"""`X-LLM-Router-Dry-Run`: the decision and its reasons, and nothing else happens."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI

from gateway.ledger.books import Caller
from routing.catalog import Catalog, Tier
from routing.health import Outcome
from tests.faultllm import FaultLLM
from tests.harness import ask, backend, serving, three_tiers

DRY = {"x-llm-router-dry-run": "1"}


def row(plan: dict, name: str) -> dict:
    return next(each for each in plan["candidates"] if each["backend"] == name)


async def test_a_dry_run_tells_the_decision_and_leaves_no_trace(
    upstream: FaultLLM, tmp_path: Path
):
    async with serving(three_tiers(upstream.url), tmp_path) as gateway:
        reply = await ask(gateway, "What is 2+2?", headers=DRY, max_tokens=100)
        stats = gateway.runtime.cache.stats()
        real = await ask(gateway, "What is 2+2?", max_tokens=100)
        requests = gateway.records("request")

    plan = reply.json
    assert plan["object"] == "llm_router.dry_run"
    assert (plan["tier"], plan["backend"], plan["score"]["value"]) == (1, "small", 5)
    assert plan["score"]["signals"] == [
        {"name": "tokens", "points": 5, "reason": "about 3 tokens"}
    ]
    assert plan["cache"] == {"result": "MISS", "reason": "", "would_store": True}
    # 3 tokens at 1 $ and 100 at 5 $ a million; tier 3 would have been 15 times that.
    assert plan["estimate"] == {
        "prompt_tokens": 3,
        "completion_tokens": 100,
        "cost_usd": 0.000503,
        "cost_nano_usd": 503_000,
        "saved_usd": 0.007042,
        "saved_nano_usd": 7_042_000,
    }
    assert [step["step"] for step in plan["decisions"]] == [
        "model",
        "cache",
        "score",
        "tier",
        "backend",
    ]
    assert reply.headers["x-llm-router-dry-run"] == "1"
    assert reply.headers["x-llm-router-model"] == "small"
    assert "x-llm-router-cost" not in reply.headers

    assert (stats.hits, stats.misses, stats.entries) == ({}, 0, 0)
    assert real.headers["x-llm-router-cache"] == "MISS"
    assert len(upstream.attempts) == 1
    assert len(requests) == 1


async def test_every_backend_is_listed_with_price_and_health_and_why_not(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = three_tiers(upstream.url)
    small, *larger = catalog.backends
    catalog = replace(
        catalog,
        backends=(
            small,
            replace(small, name="down", model="down"),
            replace(small, name="unpriced", price=None),
            replace(small, name="dear", price=larger[0].price),
            replace(small, name="off", state="disabled"),
            *larger,
        ),
    )
    async with serving(catalog, tmp_path) as gateway:
        with gateway.runtime.pool.lease(catalog.by_name["down"]) as lease:
            lease.report(Outcome.AUTH)
        plan = (await ask(gateway, headers=DRY)).json

    assert plan["backend"] == "small"
    assert [each["backend"] for each in plan["candidates"]] == [
        "small",
        "down",
        "off",
        "dear",
        "unpriced",
        "medium",
        "large",
    ]
    assert row(plan, "small")["price_usd_per_million"] == {
        "input": 1.0,
        "output": 5.0,
        "cache_read": 0.1,
        "cache_write": 1.25,
    }
    assert row(plan, "down")["health"] == "misconfigured"
    assert row(plan, "off")["reason"] == "It is disabled."
    assert row(plan, "dear")["reason"].startswith("It costs more")
    assert row(plan, "unpriced")["price_usd_per_million"] is None
    assert row(plan, "unpriced")["reason"].startswith("It has no price")
    assert row(plan, "large")["reason"] == "Tier 1 is tried before it."


async def test_a_stored_answer_is_announced_and_not_given(
    upstream: FaultLLM, tmp_path: Path
):
    async with serving(three_tiers(upstream.url), tmp_path) as gateway:
        first = await ask(gateway, "What is the capital of France?")
        exact = await ask(gateway, "What is the capital of France?", headers=DRY)
        other = await ask(gateway, "What's France's capital?", headers=DRY)
        stats = gateway.runtime.cache.stats()

    cache = exact.json["cache"]
    assert (cache["result"], cache["level"]) == ("HIT", "exact")
    assert cache["answered_by"] == first.headers["x-request-id"]
    assert exact.json["estimate"]["cost_nano_usd"] == 0
    assert exact.json["estimate"]["saved_nano_usd"] > 0
    assert exact.json["backend"] == "small"
    assert other.json["cache"]["level"] == "canonical"
    assert stats.hits == {}
    assert len(upstream.attempts) == 1


async def test_a_stale_answer_is_not_refreshed_by_a_dry_run(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = three_tiers(upstream.url, cache_ttl_seconds=10.0, cache_stale_seconds=1e6)
    now = [1000.0]
    async with serving(catalog, tmp_path, clock=lambda: now[0]) as gateway:
        await ask(gateway)
        now[0] += 100
        plan = (await ask(gateway, headers=DRY)).json
        await gateway.runtime.background.close()

    assert plan["cache"]["stale"] is True
    assert len(upstream.attempts) == 1


async def test_an_identical_call_on_its_way_would_be_shared(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = three_tiers(upstream.url)
    slow = tuple(replace(each, model="fault/hold") for each in catalog.backends)
    async with serving(replace(catalog, backends=slow), tmp_path) as gateway:
        waiting = asyncio.create_task(ask(gateway))
        while not upstream.holding:
            await asyncio.sleep(0.005)
        plan = (await ask(gateway, headers=DRY)).json
        upstream.release()
        await waiting

    assert plan["cache"]["result"] == "SHARED"
    assert plan["estimate"]["cost_nano_usd"] == 0


async def test_a_backend_that_cannot_say_what_was_asked_is_passed_over(
    upstream: FaultLLM, tmp_path: Path
):
    cheap = backend("claude", 1, upstream.url, provider="anthropic")
    other = replace(backend("gpt", 2, upstream.url))
    catalog = Catalog((Tier(1, "a", 90), Tier(2, "b")), (cheap, other))
    parts = [{"type": "text", "text": "Hi"}, {"type": "video_url", "video_url": {}}]
    messages = [{"role": "user", "content": parts}]
    async with serving(catalog, tmp_path) as gateway:
        plan = (await ask(gateway, headers=DRY, messages=messages)).json

    assert plan["backend"] == "gpt"
    assert "video_url" in row(plan, "claude")["reason"]
    assert upstream.attempts == []


async def test_nobody_to_ask_is_an_answer_too(upstream: FaultLLM, tmp_path: Path):
    catalog = three_tiers(upstream.url)
    off = tuple(replace(each, state="disabled") for each in catalog.backends)
    async with serving(replace(catalog, backends=off), tmp_path) as gateway:
        reply = await ask(gateway, headers=DRY)

    assert reply.status == 200
    assert reply.json["backend"] is None
    assert reply.json["estimate"]["cost_usd"] is None


async def test_an_unknown_model_is_an_error_in_a_dry_run_as_well(
    upstream: FaultLLM, tmp_path: Path
):
    async with serving(three_tiers(upstream.url), tmp_path) as gateway:
        reply = await ask(gateway, headers=DRY, model="gpt-9")
        requests = gateway.records("request")

    assert (reply.status, reply.error["param"]) == (404, "model")
    assert requests == []


@pytest.mark.parametrize("stream", [False, True])
async def test_both_sdks_get_the_decision_as_json(
    upstream: FaultLLM, tmp_path: Path, stream: bool
):
    says = [{"role": "user", "content": "Hi"}]
    async with serving(three_tiers(upstream.url), tmp_path) as gateway:
        async with AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="any") as client:
            chat = await client.chat.completions.with_raw_response.create(
                model="auto", messages=says, stream=stream, extra_headers=DRY
            )
            first = json.loads(await chat.http_response.aread())
        async with AsyncAnthropic(base_url=gateway.url, api_key="any") as client:
            message = await client.messages.with_raw_response.create(
                model="auto",
                max_tokens=9,
                messages=says,
                stream=stream,
                extra_headers=DRY,
            )
            second = json.loads(await message.http_response.aread())

    assert (first["backend"], second["backend"]) == ("small", "small")
    assert second["estimate"]["completion_tokens"] == 9
    assert upstream.attempts == []


async def test_a_key_sees_only_its_own_scope_s_answers_in_a_dry_run(
    upstream: FaultLLM, tmp_path: Path
):
    keys = {"sk-a": Caller(scope="key:1"), "sk-b": Caller(scope="key:2")}
    async with serving(three_tiers(upstream.url), tmp_path, keys=keys) as gateway:
        await ask(gateway, headers={"authorization": "Bearer sk-a"})
        plan = await ask(gateway, headers={"authorization": "Bearer sk-b", **DRY})

    assert plan.json["cache"]["result"] == "MISS"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/responses", {"input": "Hi"}),
        ("/v1/completions", {"prompt": "Hi"}),
        ("/v1/embeddings", {"input": "Hi", "model": "small"}),
    ],
)
async def test_the_other_endpoints_can_be_asked_too(
    upstream: FaultLLM, tmp_path: Path, path: str, body: dict, stream: bool
):
    able = "+embeddings +completions"
    small = backend("small", 1, upstream.url, capabilities=able)
    catalog = Catalog((Tier(1, "a"),), (small,))
    streams = {"stream": True} if stream and "embeddings" not in path else {}
    async with (
        serving(catalog, tmp_path) as gateway,
        httpx.AsyncClient(base_url=gateway.url) as client,
    ):
        answer = await client.post(path, json={**body, **streams}, headers=DRY)
        plan = answer.json()
        requests = gateway.records("request")

    assert answer.status_code == 200
    assert (plan["object"], plan["backend"]) == ("llm_router.dry_run", "small")
    assert (upstream.attempts, requests) == ([], [])
