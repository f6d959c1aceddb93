"""What a client with limits sees, and what is counted behind it."""

import asyncio

import httpx
import pytest

from gateway.limits.rules import Rule
from routing.chat import ChatRequest, Usage
from tests.faultllm import FaultLLM
from tests.gateway.limits.samples import NOON, budget, caller, one_tier, tiers
from tests.harness import Clock, Gateway, Reply, ask, serving

KEY = {"authorization": "Bearer sk-ci"}
OTHER = {"authorization": "Bearer sk-other"}


async def standing(gateway: Gateway, *rules: Rule) -> list[tuple[int, int]]:
    """(spent, set aside) of these budgets now."""
    found = await gateway.runtime.charges.budgets(caller(*rules))
    return [(each.count.spent, each.count.reserved) for each in found]


async def buy(gateway: Gateway, text: str = "Hi", **options: object) -> Reply:
    options.setdefault("headers", KEY)
    return await ask(gateway, text, **{"max_tokens": 5, **options})


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


async def messages(gateway: Gateway, text: str = "third") -> httpx.Response:
    async with httpx.AsyncClient(timeout=30, verify=False) as client:
        return await client.post(
            f"{gateway.url}/v1/messages",
            headers={**KEY, "anthropic-version": "2023-06-01"},
            json={
                "model": "auto",
                "max_tokens": 5,
                "messages": [{"role": "user", "content": text}],
            },
        )


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


# --- Degrading before refusing ----------------------------------------------------


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


# --- Requests and tokens a minute --------------------------------------------------

REQUESTS = Rule("key:1", 'key "ci"', "requests", "minute", 2)
TOKENS = Rule("team:1", 'team "t"', "tokens", "minute", 50)


async def test_requests_a_minute_are_counted_with_stored_answers(
    upstream: FaultLLM, tmp_path
):
    clock = Clock(NOON + 12.5)
    keys = {"sk-ci": caller(REQUESTS)}
    catalog = one_tier(upstream.url)
    async with serving(catalog, tmp_path, keys=keys, wall=clock) as gateway:
        first, second, third = [await buy(gateway) for _ in range(3)]
        clock.now += 60
        later = await buy(gateway)

    assert [r.status for r in (first, second, third, later)] == [200, 200, 429, 200]
    shown = [r.headers["x-ratelimit-remaining-requests"] for r in (first, second)]
    assert shown == ["1", "0"]
    assert third.error["code"] == "rate_limit_exceeded"
    assert third.error["message"].startswith('Key "ci" may have 2 requests a minute')
    assert third.headers["x-ratelimit-limit-requests"] == "2"
    assert third.headers["x-ratelimit-remaining-requests"] == "0"
    assert third.headers["retry-after"] == third.headers[
        "x-ratelimit-reset-requests"
    ].removesuffix("s")


async def test_tokens_a_minute_settle_to_what_was_used(upstream: FaultLLM, tmp_path):
    keys = {"sk-ci": caller(TOKENS)}
    catalog, clock = one_tier(upstream.url), Clock(NOON)
    async with serving(catalog, tmp_path, keys=keys, wall=clock) as gateway:
        first = await buy(gateway, max_tokens=40)
        second = await buy(gateway, "another", max_tokens=40)
        never = await buy(gateway, "third", max_tokens=60)
        anthropic = await messages(gateway)

    assert [first.status, second.status, never.status] == [200, 200, 429]
    assert int(second.headers["x-ratelimit-remaining-tokens"]) < 10
    assert never.headers["x-should-retry"] == "false"
    assert "Lower max_tokens" in never.error["message"]
    assert anthropic.status_code == 200
    headers = anthropic.headers
    assert headers["anthropic-ratelimit-tokens-limit"] == "50"
    assert int(headers["anthropic-ratelimit-tokens-remaining"]) < 40
    assert headers["anthropic-ratelimit-tokens-reset"] == "2026-11-18T11:07:00Z"


async def test_a_caller_without_limits_has_no_such_headers(
    upstream: FaultLLM, tmp_path
):
    keys = {"sk-ci": caller()}
    async with serving(one_tier(upstream.url), tmp_path, keys=keys) as gateway:
        reply = await buy(gateway)

    assert not [name for name in reply.headers if "ratelimit" in name]
    assert "x-llm-router-budget" not in reply.headers


@pytest.mark.parametrize("header", ["x-llm-router-dry-run"])
async def test_a_dry_run_counts_nothing(upstream: FaultLLM, tmp_path, header):
    keys = {"sk-ci": caller(REQUESTS, budget(100))}
    async with serving(one_tier(upstream.url), tmp_path, keys=keys) as gateway:
        for _ in range(3):
            reply = await buy(gateway, headers={**KEY, header: "1"})
            assert reply.status == 200
        assert (await standing(gateway, budget(100))) == [(0, 0)]
