"""A budget near its end lowers the tier before it refuses."""

import asyncio

from gateway.limits.rules import Rule
from routing.chat import ChatRequest, Usage
from tests.faultllm import FaultLLM
from tests.gateway.limits.buying import KEY, OTHER, buy, standing
from tests.gateway.limits.samples import budget, caller, one_tier, tiers
from tests.harness import Gateway, serving


async def test_a_budget_lowers_the_tier_then_leaves_the_cheapest_then_refuses(
    upstream: FaultLLM, tmp_path
):
    rule = budget(1000)
    catalog = tiers(upstream.url, cold_start="baseline")
    async with serving(catalog, tmp_path, keys={"sk-ci": caller(rule)}) as gateway:

        async def tier(number: int) -> tuple[int, str, str]:
            reply = await buy(gateway, f"Question {number}", max_tokens=10)
            headers = reply.headers
            shown = headers.get("x-llm-router-tier", "")
            return reply.status, shown, headers.get("x-llm-router-budget", "")

        fresh = await tier(1)
        await set_spent(gateway, rule, 800)
        capped = await tier(2)
        await set_spent(gateway, rule, 950)
        cheapest = await tier(3)
        stored_in_full = await tier(1)
        await set_spent(gateway, rule, 1000)
        refused = await tier(4)
        stored = await tier(1)
        (decision,) = [
            each
            for each in gateway.records("request")[1]["decisions"]
            if each["step"] == "budget"
        ]

    assert fresh == (200, "3", "")
    assert capped == (200, "2", "capped")
    assert cheapest == (200, "1", "cheapest")
    assert refused == (429, "", "exhausted")
    assert stored == stored_in_full == (200, "3", "")
    assert decision["text"].startswith(
        '80.0% of the day\'s budget of key "ci" is spent'
    )


async def set_spent(gateway: Gateway, rule: Rule, nano: int) -> None:
    """As if the key had spent so much in all."""
    runtime, holder = gateway.runtime, caller(rule)
    ((spent, _),) = await standing(gateway, rule)
    chat = ChatRequest(body={}, scope="team:t", request_id="req_x")
    hold = await runtime.charges.hold(
        runtime.books.open_request(chat, holder), Usage(), 0
    )
    assert hold
    hold.settle(nano - spent, 0)


async def test_a_pinned_tier_that_the_budget_no_longer_allows_is_refused(
    upstream: FaultLLM, tmp_path
):
    rule = budget(100)
    async with serving(
        tiers(upstream.url), tmp_path, keys={"sk-ci": caller(rule)}
    ) as gateway:
        await set_spent(gateway, rule, 85)
        high = await buy(gateway, model="tier-3", max_tokens=1)
        low = await buy(gateway, model="tier-1", max_tokens=1)

    assert (high.status, high.error["code"]) == (429, "budget_exceeded")
    assert "The client chose tier-3." in high.error["message"]
    assert high.headers["x-should-retry"] == "false"
    assert low.status == 200


async def test_steps_that_are_switched_off_only_refuse(upstream: FaultLLM, tmp_path):
    rule = budget(100)
    catalog = tiers(
        upstream.url,
        cold_start="baseline",
        budget_cap_share=1.0,
        budget_cheapest_share=1.0,
    )
    async with serving(catalog, tmp_path, keys={"sk-ci": caller(rule)}) as gateway:
        await set_spent(gateway, rule, 97)
        reply = await buy(gateway, max_tokens=1)
        refused = await buy(gateway, "another", max_tokens=1)

    assert reply.headers["x-llm-router-tier"] == "3"
    assert refused.status == 429


async def test_a_tier_that_may_cost_more_than_is_left_gives_way_to_one_that_fits(
    upstream: FaultLLM, tmp_path
):
    rule = budget(100)
    catalog = tiers(upstream.url, cold_start="baseline")
    async with serving(catalog, tmp_path, keys={"sk-ci": caller(rule)}) as gateway:
        reply = await buy(gateway, max_tokens=45)
        too_much = await buy(gateway, "another", max_tokens=101)

    assert reply.headers["x-llm-router-tier"] == "2"
    assert reply.headers["x-llm-router-budget"] == "capped"
    assert too_much.status == 429
    assert "it may cost up to $0.000000101" in too_much.error["message"]


async def test_one_key_of_a_team_at_its_end_does_not_end_the_others(
    upstream: FaultLLM, tmp_path
):
    keys = {"sk-ci": caller(budget(4)), "sk-other": caller(key_id=2)}
    async with serving(one_tier(upstream.url), tmp_path, keys=keys) as gateway:
        upstream.always = "delay-50ms"
        replies = await asyncio.gather(
            *(buy(gateway, headers=headers) for headers in (KEY, OTHER) * 3)
        )

    by_key = [reply.status for reply in replies]
    assert by_key == [429, 200] * 3
