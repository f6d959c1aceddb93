"""Audits and judges of the cache never cost more than their day's budget, by what the
provider itself would charge."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.limits.rules import of_audits
from routing.catalog import Catalog
from tests.faultllm import FaultLLM
from tests.gateway.audits import COUNTRIES, with_judge
from tests.gateway.limits.buying import standing
from tests.harness import Gateway, ask, one_backend, serving
from tests.workers import until

# Dollars per million tokens in and out, by the model that the provider saw.
PRICES = {"small": (1, 5), "fault/say=YES": (3, 15)}
OUTPUT = 40  # tokens at most, of an answer


def dear(url: str, **policy: object) -> Catalog:
    """All hits by another wording are audited, and there is a judge."""
    policy = {"default_max_output_tokens": OUTPUT, **policy}
    return with_judge(url, "fault/say=YES", cache_audit_share=1.0, **policy)


async def fill(gateway: Gateway) -> None:
    for country in COUNTRIES:
        await ask(gateway, f"What is the capital of {country}?")


async def hit_all(gateway: Gateway, words: str) -> None:
    asked = (ask(gateway, words.format(country)) for country in COUNTRIES)
    replies = await asyncio.gather(*asked)
    levels = {reply.headers["x-llm-router-cache-level"] for reply in replies}
    assert levels == {"canonical"}
    await gateway.settled()


def charged(upstream: FaultLLM, gateway: Gateway) -> float:
    """In dollars, for all that the gateway asked beside its clients."""
    ours = {
        f"{record['request_id']}-{number}"
        for record in gateway.records("request")
        if record["endpoint"].startswith("cache.")
        for number in range(1, 4)
    }
    total = 0.0
    for attempt in upstream.attempts:
        if attempt.attempt_id in ours:
            price_in, price_out = PRICES[attempt.model]
            total += attempt.prompt_billed * price_in / 1e6
            total += attempt.completion_billed * price_out / 1e6
    return total


async def test_many_hits_at_once_stay_within_the_days_budget(
    upstream: FaultLLM, tmp_path: Path, transactional_db
):
    """What is under way counts as well: none of it is in the books yet."""
    budget = 0.003  # an audit may cost 0.0011, and costs 0.0007
    catalog = dear(upstream.url, cache_audit_budget_usd=budget)
    async with serving(catalog, tmp_path) as gateway:
        await fill(gateway)
        upstream.always = "words-30"  # another answer, and no plain word of the judge
        for words in ("What's {}'s capital?", "Tell me {}'s capital."):
            await hit_all(gateway, words)
        paid = charged(upstream, gateway)
        ((spent, aside),) = await standing(gateway, of_audits(budget))
        asked = {record["endpoint"] for record in gateway.records("request")}

    assert {"cache.audit", "cache.judge"} < asked
    assert budget / 2 < paid <= budget  # what is given back is used
    assert (spent / 1e9, aside) == (pytest.approx(paid), 0)


async def test_calls_that_stand_still_keep_what_they_may_cost(
    upstream: FaultLLM, tmp_path: Path, transactional_db
):
    """Room for two audits; four may be under way."""
    budget = 0.0025  # an audit may cost 0.0011
    catalog = dear(upstream.url, cache_audit_budget_usd=budget)
    async with serving(catalog, tmp_path) as gateway:
        await fill(gateway)
        upstream.always = "hold"
        for country in COUNTRIES[:6]:
            await ask(gateway, f"What's {country}'s capital?")
        await until(lambda: len(gateway.runtime.background) == 2)
        await upstream.until(lambda: upstream.holding == 2)
        ((_, aside),) = await standing(gateway, of_audits(budget))
        upstream.always = None
        upstream.release()
        await gateway.settled()

    assert budget / 2 < aside / 1e9 <= budget


async def test_an_answer_that_nobody_saw_costs_what_was_set_aside_and_no_second_one(
    upstream: FaultLLM, tmp_path: Path, transactional_db
):
    small, judge = dear(upstream.url).backends
    twin = replace(small, name="twin")
    catalog = replace(dear(upstream.url), backends=(small, twin, judge))
    async with serving(catalog, tmp_path) as gateway:
        await ask(gateway, "What is the capital of France?")
        before = len(upstream.attempts)
        upstream.script = ["html-200"]  # it may have billed the work
        await ask(gateway, "What's France's capital?")
        await gateway.settled()
        ((spent, aside),) = await standing(gateway, of_audits(1.0))
        (audit,) = [
            record
            for record in gateway.records("request")
            if record["endpoint"] == "cache.audit"
        ]

    assert len(upstream.attempts) == before + 1
    assert audit["status"] == 502
    assert spent == audit["cost_nano"] >= OUTPUT * 5000  # all of its tokens
    assert aside == 0


async def test_a_budget_that_no_audit_fits_is_told_once(
    upstream: FaultLLM, tmp_path: Path, transactional_db
):
    catalog = dear(upstream.url, cache_audit_budget_usd=0.00001)
    async with serving(catalog, tmp_path) as gateway:
        await ask(gateway, "What is the capital of France?")
        with capture_logs() as logs:
            for words in ("What's France's capital?", "What is France's capital?"):
                await ask(gateway, words)
                await gateway.settled()

    [told] = [log for log in logs if log["event"] == "audit_exceeds_budget"]
    assert told["may_cost_usd"] > told["budget_usd"] == 0.00001
    assert len(upstream.attempts) == 1


async def test_a_budget_of_nothing_audits_nothing_also_where_nothing_has_a_price(
    upstream: FaultLLM, tmp_path: Path, transactional_db
):
    catalog = one_backend(
        upstream.url, cache_audit_share=1.0, cache_audit_budget_usd=0.0
    )
    free = replace(catalog.backends[0], price=None)
    async with serving(replace(catalog, backends=(free,)), tmp_path) as gateway:
        await ask(gateway, "What is the capital of France?")
        await ask(gateway, "What's France's capital?")
        await gateway.settled()

    assert len(upstream.attempts) == 1
