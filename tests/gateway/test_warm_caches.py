"""A conversation stays where its prompt is cached, as long as that is cheaper."""

from dataclasses import replace
from pathlib import Path

import pytest

from routing.catalog import Catalog, PriceList, Tier
from routing.health import Outcome
from tests.faultllm import FaultLLM
from tests.gateway.turns import said, steps, turn, user
from tests.harness import PRICES, Clock, Gateway, backend, serving

# Cache reads cost next to nothing at the dear one: it is worth staying there.
DEAR = PriceList(3 * 10**9, 15 * 10**9, 10**7, 375 * 10**7)


def warm_and_cheap(url: str, **fields: object) -> Catalog:
    cheap = backend("cheap", 1, url)
    dear = replace(backend("dear", 2, url), **{"price": DEAR, **fields})
    tiers = (Tier(1, "a", 50), Tier(2, "b"))
    return Catalog(tiers, (cheap, dear))


LONG = "cached=40000 " + "word " * 30_000  # about 37 500 tokens
SESSION = {"x-llm-router-session": "s1"}


async def warmed(gateway: Gateway) -> None:
    pin = {**SESSION, "x-llm-router-pin": "dear"}
    await turn(gateway, user(LONG), headers=pin, max_tokens=10)


async def test_a_warm_prompt_cache_is_not_left_for_a_cheaper_model_that_is_cold(
    upstream: FaultLLM, tmp_path: Path
):
    async with serving(warm_and_cheap(upstream.url), tmp_path) as gateway:
        await warmed(gateway)
        reply = await turn(
            gateway, user(LONG), said(), user("Hi"), headers=SESSION, max_tokens=10
        )
        (told,) = steps(gateway)

    assert reply.headers["x-llm-router-model"] == "dear"
    assert told["text"].endswith("in the prompt cache of dear: it stays there.")
    assert (
        told["warm_tokens"] == told["prompt_tokens"] == pytest.approx(37_500, rel=0.1)
    )
    assert (told["backend"], told["cheaper"]) == ("dear", "cheap")
    assert told["stay_usd"] < 0.001 < 0.03 < told["leave_usd"]


async def test_a_dry_run_tells_that_it_would_stay(upstream: FaultLLM, tmp_path: Path):
    async with serving(warm_and_cheap(upstream.url), tmp_path) as gateway:
        await warmed(gateway)
        plan = await turn(
            gateway,
            user(LONG),
            said(),
            user("Hi"),
            headers={**SESSION, "x-llm-router-dry-run": "1"},
            max_tokens=10,
        )

    assert plan.json["backend"] == "dear"
    assert "session" in [step["step"] for step in plan.json["decisions"]]


async def test_a_cache_that_has_gone_cold_holds_nobody(
    upstream: FaultLLM, tmp_path: Path
):
    wall = Clock(1_700_000_000.0)
    async with serving(warm_and_cheap(upstream.url), tmp_path, wall=wall) as gateway:
        await warmed(gateway)
        wall.now += 301
        reply = await turn(gateway, user(LONG), said(), user("Hi"), headers=SESSION)

    assert reply.headers["x-llm-router-model"] == "cheap"


async def test_a_cheaper_model_that_pays_off_is_gone_to(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = warm_and_cheap(upstream.url, price=PRICES[3])
    async with serving(catalog, tmp_path) as gateway:
        await warmed(gateway)
        reply = await turn(gateway, user(LONG), said(), user("Hi"), headers=SESSION)
        (told,) = steps(gateway)

    assert reply.headers["x-llm-router-model"] == "cheap"
    assert told["text"].endswith("it goes to cheap.")
    assert told["stay_usd"] > told["leave_usd"]


async def test_health_wins_over_a_warm_cache(upstream: FaultLLM, tmp_path: Path):
    catalog = warm_and_cheap(upstream.url)
    async with serving(catalog, tmp_path) as gateway:
        await warmed(gateway)
        with gateway.runtime.pool.lease(catalog.by_name["dear"]) as lease:
            lease.report(Outcome.AUTH)
        reply = await turn(gateway, user(LONG), said(), user("Hi"), headers=SESSION)
        (told,) = steps(gateway)

    assert reply.headers["x-llm-router-model"] == "cheap"
    assert told["text"].startswith("It leaves dear.")


async def test_when_the_one_it_stays_at_fails_another_answers(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = warm_and_cheap(upstream.url)
    async with serving(catalog, tmp_path) as gateway:
        await warmed(gateway)
        broken = replace(catalog.by_name["dear"], model="fault/status-500")
        gateway.serve_catalog(
            replace(catalog, backends=(catalog.by_name["cheap"], broken))
        )
        reply = await turn(
            gateway, user(LONG), said(), user("Hi"), headers=SESSION, max_tokens=10
        )

    assert reply.status == 200
    assert reply.headers["x-llm-router-attempts"] == "2"
