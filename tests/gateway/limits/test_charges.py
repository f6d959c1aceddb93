"""What a client with a budget sees, and what is counted behind it."""

import asyncio

import httpx

from tests.faultllm import FaultLLM
from tests.gateway.limits.buying import KEY, OTHER, buy, messages, standing
from tests.gateway.limits.samples import NOON, budget, caller, one_tier, tiers
from tests.harness import Clock, serving


async def test_exactly_as_many_pass_as_the_budget_pays_for(
    upstream: FaultLLM, tmp_path
):
    rules = budget(100), budget(100, "week"), budget(1000, "month", "team:1")
    keys = {"sk-ci": caller(*rules)}
    async with serving(one_tier(upstream.url), tmp_path, keys=keys) as gateway:
        replies = await asyncio.gather(
            *(buy(gateway, f"question {number}") for number in range(50))
        )
        left = await standing(gateway, *rules)

    assert sorted(reply.status for reply in replies) == [200] * 20 + [429] * 30
    assert len(upstream.attempts) == 20
    assert left == [(100, 0), (100, 0), (100, 0)]


async def test_a_budget_that_is_used_up_says_what_why_and_until_when(
    upstream: FaultLLM, tmp_path
):
    keys = {"sk-ci": caller(budget(5))}
    catalog = one_tier(upstream.url)
    async with serving(catalog, tmp_path, keys=keys, wall=Clock(NOON)) as gateway:
        assert (await buy(gateway)).status == 200
        refused = await buy(gateway, "another")
        anthropic = await messages(gateway)

    assert (refused.status, refused.error["code"]) == (429, "budget_exceeded")
    assert refused.error["message"] == (
        'The budget of key "ci" for the day has no room for this request: '
        "$0.000000005 spent and $0.00 set aside for calls under way, of $0.000000005. "
        "It begins anew at 2026-11-19T00:00+01:00."
    )
    assert refused.headers["x-should-retry"] == "false"
    assert refused.headers["retry-after"] == str(int(1_795_042_800 - NOON))
    assert refused.headers["x-llm-router-budget"] == "exhausted"
    assert anthropic.status_code == 429
    assert anthropic.headers["x-should-retry"] == "false"
    assert anthropic.json()["error"]["type"] == "rate_limit_error"


async def test_the_next_day_of_the_team_begins_anew(upstream: FaultLLM, tmp_path):
    keys = {"sk-ci": caller(budget(5), budget(7, "month"))}
    clock, catalog = Clock(1_795_042_799.0), one_tier(upstream.url)
    async with serving(catalog, tmp_path, keys=keys, wall=clock) as gateway:
        assert (await buy(gateway)).status == 200
        assert (await buy(gateway, "another")).status == 429
        clock.now += 1
        by_month = await buy(gateway, "another")
        small = await buy(gateway, "another", max_tokens=2)

    assert "for the month" in by_month.error["message"]
    assert small.status == 200


async def test_stored_answers_cost_nothing_even_without_a_budget(
    upstream: FaultLLM, tmp_path
):
    keys = {"sk-ci": caller(budget(0)), "sk-other": caller(key_id=2)}
    async with serving(one_tier(upstream.url), tmp_path, keys=keys) as gateway:
        assert (await buy(gateway)).status == 429
        assert (await buy(gateway, headers=OTHER)).status == 200
        hit = await buy(gateway)

    assert (hit.status, hit.headers["x-llm-router-cache"]) == (200, "HIT")


async def test_what_was_set_aside_and_not_spent_comes_back(
    upstream: FaultLLM, tmp_path
):
    rule = budget(100)
    async with serving(
        one_tier(upstream.url), tmp_path, keys={"sk-ci": caller(rule)}
    ) as gateway:
        upstream.script = ["status-400"]
        first = await buy(gateway, max_tokens=60)
        after_refusal = await standing(gateway, rule)
        await buy(gateway, "a b c d", max_tokens=90)
        left = await standing(gateway, rule)

    assert first.status == 400
    assert after_refusal == [(0, 0)]
    assert left[0][1] == 0 and left[0][0] < 20


async def test_calls_under_way_hold_the_budget_and_a_retry_is_worth_it(
    upstream: FaultLLM, tmp_path
):
    rule = budget(100)
    async with serving(
        one_tier(upstream.url), tmp_path, keys={"sk-ci": caller(rule)}
    ) as gateway:
        upstream.always = "stall-before-headers"
        waiting = asyncio.create_task(buy(gateway, max_tokens=60))
        await gateway.called()
        refused = await buy(gateway, "another", max_tokens=60)
        held = await standing(gateway, rule)
        waiting.cancel()
        await gateway.settled()
        left = await standing(gateway, rule)

    assert held == [(0, 60)]
    assert refused.status == 429
    assert "x-should-retry" not in refused.headers
    assert int(refused.headers["retry-after"]) <= 2
    assert left[0][1] == 0


async def test_an_attempt_whose_end_nobody_saw_stays_spent_as_estimated(
    upstream: FaultLLM, tmp_path
):
    rule = budget(100)
    catalog = one_tier(upstream.url, first_byte_timeout_seconds=0.1)
    async with serving(catalog, tmp_path, keys={"sk-ci": caller(rule)}) as gateway:
        upstream.always = "stall-before-headers"
        assert (await buy(gateway, max_tokens=60)).status == 504
        left = await standing(gateway, rule)
        (attempt,) = gateway.records("attempt")
        (intent,) = gateway.records("intent")

    assert left == [(60, 0)]
    assert (attempt["state"], attempt["cost_nano"]) == ("unknown", 60)
    assert intent["cost_nano"] == 60


async def test_a_stream_that_is_left_settles_what_came(upstream: FaultLLM, tmp_path):
    rule = budget(100)
    async with serving(
        one_tier(upstream.url), tmp_path, keys={"sk-ci": caller(rule)}
    ) as gateway:
        upstream.always = "stall-after-2"
        async with (
            httpx.AsyncClient(timeout=30, verify=False) as client,
            client.stream(
                "POST",
                f"{gateway.url}/v1/chat/completions",
                headers=KEY,
                json={
                    "stream": True,
                    "max_tokens": 60,
                    "messages": [{"role": "user", "content": "Hi"}],
                },
            ) as response,
        ):
            await anext(response.aiter_raw())
        await gateway.settled()
        left = await standing(gateway, rule)

    assert left[0][1] == 0
    assert 0 < left[0][0] < 60


async def test_a_fail_over_is_charged_for_both_attempts(upstream: FaultLLM, tmp_path):
    rule = budget(1000)
    catalog = tiers(upstream.url)
    async with serving(catalog, tmp_path, keys={"sk-ci": caller(rule)}) as gateway:
        upstream.script = ["half-json"]
        reply = await buy(gateway)
        left = await standing(gateway, rule)
        spent = sum(record["cost_nano"] for record in gateway.records("attempt"))

    assert reply.status == 200
    assert len(gateway.records("attempt")) == 2
    assert left == [(spent, 0)]
