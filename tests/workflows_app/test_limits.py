"""A run's calls are paid from the budgets of the key that started it."""

import asyncio

import pytest

from gateway.key_rows import digest_of
from gateway.limits.rules import Rule
from gateway.runtime.database import in_database
from gateway.runtime.snapshot import Key
from routing.pricing import TOKENS_PER_PRICE
from tests.gateway.limits.samples import ZURICH, caller
from tests.harness import PRICES
from tests.workflows_app.samples import STRAWBERRY
from workflows_app.background import look_once
from workflows_app.models import WorkflowRun
from workflows_app.runs import Runs

HEADERS = {"authorization": "Bearer sk-ci"}
DOLLAR = 10**9


def limit(gateway, nano: int) -> None:
    """Give the one key this budget for a day."""
    rule = Rule("key:1", 'key "ci"', "usd", "day", nano, ZURICH)
    holder = caller(rule, models=("*",))
    gateway.change_snapshot(keys={digest_of("sk-ci"): Key(holder)}, has_keys=True)


async def ended(run_id: str) -> WorkflowRun:
    async with asyncio.timeout(20):
        while True:
            row = await in_database(WorkflowRun.objects.get, run_id=run_id)
            if row.status in ("succeeded", "failed", "cancelled"):
                return row
            await asyncio.sleep(0.02)


async def test_a_budget_pays_for_a_run_and_ends_it(run, gateway):
    limit(gateway, DOLLAR)
    paid = await run(STRAWBERRY, headers=HEADERS)
    limit(gateway, 1)
    refused = await run(STRAWBERRY, "Another question", headers=HEADERS)

    assert paid.status == 200
    assert refused.status != 200
    assert 'The budget of key "ci"' in refused.json["error"]["message"]


async def test_ops_side_by_side_wait_for_what_a_budget_gets_back_from_each_other(
    run, gateway, upstream
):
    tokens = 10_000
    ops = {
        name: {"prompt": f"Op {name}.", "tier": 3, "max_tokens": tokens}
        for name in ("a", "b")
    }
    one_at_a_time = tokens * PRICES[3].output // TOKENS_PER_PRICE * 3 // 2
    limit(gateway, one_at_a_time)

    answer = await run({"end_ops": ["a", "b"], "ops": ops}, headers=HEADERS)

    assert answer.status == 200
    assert sorted(answer.json["outputs"]) == ["a", "b"]
    assert len(upstream.attempts) == 2


async def test_an_answer_tells_what_its_calls_left_of_the_keys_limits(
    run, gateway, upstream
):
    rule = Rule("key:1", 'key "ci"', "requests", "minute", 100, ZURICH)
    holder = caller(rule, models=("*",))
    gateway.change_snapshot(keys={digest_of("sk-ci"): Key(holder)}, has_keys=True)

    answer = await run(STRAWBERRY, headers=HEADERS)

    calls = len(upstream.attempts)
    assert calls > 1
    assert answer.headers["x-ratelimit-limit-requests"] == "100"
    assert answer.headers["x-ratelimit-remaining-requests"] == str(100 - calls)
    assert answer.headers["x-ratelimit-reset-requests"].endswith("s")


@pytest.mark.parametrize("nano", [DOLLAR, 1])
async def test_a_background_run_goes_on_with_the_limits_its_key_has_by_then(
    run, gateway, upstream, nano
):
    limit(gateway, DOLLAR)
    upstream.script = ["hold"]
    answer = await run(STRAWBERRY, mode="background", headers=HEADERS)
    await upstream.until(lambda: upstream.holding == 1)
    await Runs.of(gateway.runtime).close()
    limit(gateway, nano)

    gateway.runtime.services.clear()  # another process, so to say
    await look_once(Runs.of(gateway.runtime))

    row = await ended(answer.json["run_id"])
    assert row.status == ("succeeded" if nano == DOLLAR else "failed")
    assert "rules" not in row.caller
