"""Requests and tokens a minute, and what is not counted."""

import pytest

from gateway.limits.rules import Rule
from tests.faultllm import FaultLLM
from tests.gateway.limits.buying import KEY, buy, messages, standing
from tests.gateway.limits.samples import NOON, budget, caller, one_tier
from tests.harness import Clock, serving

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
