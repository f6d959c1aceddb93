"""Cheap first: what is checked, who answers in doubt, and what it costs."""

import asyncio
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from anthropic import AsyncAnthropic

from routing.catalog import Catalog, Policy
from routing.learned.brain import Brain
from routing.learned.router import Router
from routing.learned.targets import Target
from tests.faultllm import FaultLLM
from tests.harness import PRICES, TIERS, Gateway, ask, backend, serving
from tests.routing.learned.samples import small_router

NEAR = 0.25  # of the score: 5 is 25 points below the border between tier 1 and 2
REFUSES = "fault/say=I can't help with that."


def catalog(url: str, small: str, medium: str = "medium", **policy: object) -> Catalog:
    """Two tiers and a judge; the models' names are scripts."""
    rules = {"cascade": "all", "cascade_band": NEAR, **policy}
    backends = (
        backend("small", 1, url, model=small),
        backend("medium", 2, url, model=medium),
        backend("judge", 3, url, model=str(rules.pop("judge_says", "fault/say=NO"))),
    )
    return Catalog(TIERS, backends, policy=Policy(**rules))


def steps(gateway: Gateway, name: str) -> list[dict]:
    [record] = gateway.records("request")
    return [each for each in record["decisions"] if each["step"] == name]


def check(gateway: Gateway) -> dict:
    [found] = steps(gateway, "cascade_check")
    return found


@pytest.mark.parametrize(
    ("script", "body", "reason"),
    [
        (REFUSES, {}, "It refuses."),
        ("fault/refusal", {}, "It refuses."),
        ("fault/say=", {}, "It is empty."),
        ("fault/length", {}, "It was cut off at its length limit."),
        ("fault/content-filter", {}, "A filter cut it off."),
        (
            "fault/ok",
            {"response_format": {"type": "json_object"}},
            "It is not the JSON that was asked for.",
        ),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_of_bad_form_is_never_seen_and_the_better_tier_answers(
    upstream: FaultLLM, tmp_path: Path, script, body, reason, stream
):
    given = catalog(upstream.url, script, cascade_band=0.5)
    async with serving(given, tmp_path) as gateway:
        reply = await ask(gateway, "Hi there", stream=stream, **body)
        await gateway.settled()
        [record] = gateway.records("request")
        attempts = gateway.records("attempt")
        checked = check(gateway)

    assert reply.status == 200
    assert reply.content.endswith("(call 2)")
    assert "help with that" not in reply.text
    assert (record["tier"], record["backend"]) == (2, "medium")
    assert checked["passed"] is False
    assert checked["text"] == f"{reason} Tier 2 answers instead."
    # Both attempts are on the request's bill, and the provider's journal has both.
    assert len(upstream.attempts) == len(attempts) == record["attempts"] == 2
    assert record["cost_nano"] == sum(each["cost_nano"] for each in attempts)


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_that_passes_is_served_and_kept(
    upstream: FaultLLM, tmp_path: Path, stream
):
    async with serving(catalog(upstream.url, "fault/words-60"), tmp_path) as gateway:
        first = await ask(gateway, stream=stream)
        again = await ask(gateway, stream=stream)
        record, hit = gateway.records("request")

    assert first.content == again.content
    assert first.content.startswith("word1 word2")
    assert again.headers["x-llm-router-cache"] == "HIT"
    assert (record["tier"], record["attempts"]) == (1, 1)
    assert len(upstream.attempts) == 1
    [plan] = [each for each in record["decisions"] if each["step"] == "cascade"]
    assert (plan["first"], plan["then"]) == (1, 2)


async def test_only_the_final_answer_is_kept(upstream: FaultLLM, tmp_path: Path):
    async with serving(catalog(upstream.url, REFUSES), tmp_path) as gateway:
        first = await ask(gateway)
        again = await ask(gateway)

    assert again.headers["x-llm-router-cache"] == "HIT"
    assert first.content == again.content
    assert again.content.endswith("(call 2)")


@pytest.mark.parametrize(
    ("policy", "body"),
    [
        ({"cascade": "none"}, {}),
        ({"cascade": "whole"}, {"stream": True}),
        ({"cascade_band": 0.24}, {}),
        ({}, {"model": "tier-1"}),
        ({}, {"n": 2}),
    ],
)
async def test_what_is_not_uncertain_is_answered_once(
    upstream: FaultLLM, tmp_path: Path, policy, body
):
    given = catalog(upstream.url, REFUSES, **policy)
    async with serving(given, tmp_path) as gateway:
        await ask(gateway, **body)
        await gateway.settled()
        [record] = gateway.records("request")
        assert steps(gateway, "cascade") == []

    assert (record["tier"], record["attempts"]) == (1, 1)


async def test_a_doubted_answer_is_better_than_none(upstream: FaultLLM, tmp_path: Path):
    given = catalog(upstream.url, REFUSES, "fault/status-500", max_attempts=1)
    async with serving(given, tmp_path) as gateway:
        reply = await ask(gateway)
        *_, last = steps(gateway, "cascade")

    assert reply.content == "I can't help with that."
    assert "is better than none" in last["text"]


@pytest.mark.parametrize(("says", "tier"), [("NO", 2), ("YES.", 1), ("Perhaps", 1)])
async def test_a_judge_is_asked_and_on_the_bill(
    upstream: FaultLLM, tmp_path: Path, says, tier
):
    given = catalog(
        upstream.url,
        "small",
        cascade_check="judge",
        cascade_judge="judge",
        judge_says=f"fault/say={says}",
    )
    async with serving(given, tmp_path) as gateway:
        reply = await ask(gateway, "What is 2+2?")
        [record] = gateway.records("request")
        attempts = gateway.records("attempt")
        checked = check(gateway)

    assert reply.headers["x-llm-router-tier"] == str(tier)
    assert checked["judge"] == says.rstrip(".").lower() * (says != "Perhaps")
    assert record["attempts"] == len(attempts) == tier + 1
    assert record["cost_nano"] == sum(each["cost_nano"] for each in attempts)
    judged = next(a for a in upstream.attempts if "say=" in a.body["model"])
    assert "What is 2+2?" in str(judged.body["messages"])
    assert judged.body["temperature"] == 0


async def test_a_judge_that_fails_holds_nothing_up(upstream: FaultLLM, tmp_path: Path):
    given = catalog(
        upstream.url,
        "small",
        cascade_check="judge",
        cascade_judge="judge",
        judge_says="fault/status-500",
    )
    async with serving(given, tmp_path) as gateway:
        reply = await ask(gateway)
        failed, passed = steps(gateway, "cascade_check")

    assert reply.headers["x-llm-router-tier"] == "1"
    assert failed["text"].startswith("The judge failed: ")
    assert passed["passed"] is True


@pytest.mark.parametrize(("least", "tier"), [(0.3, 1), (0.999, 2)])
async def test_two_samples_that_disagree_are_a_doubt(
    upstream: FaultLLM, tmp_path: Path, least, tier
):
    # What is echoed differs in the temperature alone.
    given = catalog(
        upstream.url,
        "fault/echo",
        cascade_check="agreement",
        cascade_confidence=least,
    )
    async with serving(given, tmp_path) as gateway:
        reply = await ask(gateway, temperature=0)
        checked = check(gateway)

    assert reply.headers["x-llm-router-tier"] == str(tier)
    assert 0.3 < checked["confidence"] < 0.999
    temperatures = [a.body.get("temperature") for a in upstream.attempts]
    assert temperatures[:2] == [0, 0.7]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("logprob", "tier"), [("-0.1", 1), ("-1.5", 2)])
async def test_improbable_tokens_are_a_doubt_and_never_shown_unasked(
    upstream: FaultLLM, tmp_path: Path, logprob, tier, stream
):
    given = catalog(
        upstream.url, f"fault/words-60+logprobs={logprob}", cascade_check="logprobs"
    )
    async with serving(given, tmp_path) as gateway:
        reply = await ask(gateway, stream=stream)

    assert reply.headers["x-llm-router-tier"] == str(tier)
    assert upstream.attempts[0].body["logprobs"] is True
    assert '"token"' not in reply.text


async def test_after_the_commit_point_nothing_switches(
    upstream: FaultLLM, tmp_path: Path
):
    """It breaks off behind the window: the client sees the error, no other tier."""
    given = catalog(upstream.url, "fault/words-60+error-event-at-50", cascade_window=20)
    async with serving(given, tmp_path) as gateway:
        reply = await ask(gateway, stream=True)
        [record] = gateway.records("request")

    assert reply.content.startswith("word1 word2")
    assert reply.error
    assert record["attempts"] == len(upstream.attempts) == 1


async def test_before_the_commit_point_the_client_sees_nothing(
    upstream: FaultLLM, tmp_path: Path
):
    """The window is longer than what comes before the provider waits."""
    given = catalog(
        upstream.url,
        "fault/words-60+hold-after-5",
        cascade_window=100,
        cascade_hold_seconds=30.0,
    )
    async with serving(given, tmp_path) as gateway:
        asked = asyncio.create_task(ask(gateway, stream=True))
        await gateway.called()
        await upstream.until(lambda: upstream.holding)
        [call] = gateway.runtime.inflight.calls
        assert call.outcome is None
        upstream.release()
        reply = await asked
        assert check(gateway)["shown_after_characters"] >= 100

    assert reply.content.endswith("word60")


async def test_a_stream_that_dawdles_is_let_go_when_its_time_is_up(
    upstream: FaultLLM, tmp_path: Path
):
    given = catalog(
        upstream.url,
        "fault/words-60+hold-after-5",
        cascade_window=10_000,
        cascade_hold_seconds=0.01,
    )
    async with serving(given, tmp_path) as gateway:
        asked = asyncio.create_task(ask(gateway, stream=True))
        await gateway.called()
        await upstream.until(lambda: upstream.holding)
        [call] = gateway.runtime.inflight.calls
        async with asyncio.timeout(20):
            while call.outcome is None:
                await asyncio.sleep(0.005)
        upstream.release()
        reply = await asked

    assert reply.content.endswith("word60")


async def test_a_client_that_leaves_during_the_trial_pays_for_what_came(
    upstream: FaultLLM, tmp_path: Path
):
    given = catalog(upstream.url, "fault/hold")
    async with serving(given, tmp_path) as gateway:
        asked = asyncio.create_task(ask(gateway))
        await gateway.called()
        await upstream.until(lambda: upstream.holding)
        asked.cancel()
        await gateway.settled()
        [record] = gateway.records("request")
        [attempt] = gateway.records("attempt")
        upstream.release()

    assert (record["status"], attempt["error_code"]) == (499, "client_closed")


async def test_a_routers_uncertainty_is_what_counts_when_there_is_one(
    upstream: FaultLLM, tmp_path: Path
):
    given = catalog(upstream.url, REFUSES, cascade_band=0.9, cascade_check="logprobs")
    router = Router(1, small_router(), given, Target())
    given = replace(given, brain=Brain(router))
    async with serving(given, tmp_path) as gateway:
        await ask(gateway, "derive the integral of lamp cloud")
        [plan] = steps(gateway, "cascade")
        [chosen] = steps(gateway, "router")

    worth = {each["tier"]: each["utility"] for each in chosen["tiers"]}
    best = max(worth, key=worth.get)
    assert (plan["first"], plan["then"]) == (1, best)
    assert plan["text"].startswith(
        f"Tiers 1 and {best} are worth the same within {worth[best] - worth[1]:.3f}."
    )


def test_prices_of_the_tiers_rise():
    """What the tests above take for granted."""
    assert PRICES[1].input < PRICES[2].input < PRICES[3].input


@pytest.mark.parametrize(("says", "tier"), [("NO", 3), ("YES", 1)])
async def test_a_check_is_weighed_against_what_the_router_expects(
    upstream: FaultLLM, tmp_path: Path, says, tier
):
    """Every number of the decision can be recomputed."""
    given = catalog(
        upstream.url,
        "small",
        cascade_band=0.9,
        cascade_check="judge",
        cascade_judge="judge",
        judge_says=f"fault/say={says}",
        learned_target="top_share",
    )
    router = Router(1, small_router(), given, Target("top_share", 0.3))
    given = replace(given, brain=Brain(router))
    text = "derive the integral of lamp cloud" if says == "NO" else "say hello to lamp"
    async with serving(given, tmp_path) as gateway:
        await ask(gateway, text)
        [record] = gateway.records("request")
        [chosen] = steps(gateway, "router")
        [planned] = steps(gateway, "cascade")
        checked = check(gateway)

    tiers = {each["tier"]: each for each in chosen["tiers"]}
    first, then = tiers[planned["first"]], tiers[planned["then"]]
    quality, better = min(first["quality"], 0.99), then["quality"]
    odds = quality / (1 - quality) * (1 / 3 if says == "NO" else 3)
    right = odds / (1 + odds)
    mended = (better - 0.9 * quality) / (1 - quality)
    gain = (1 - right) * min(1, max(0, mended)) - right * 0.1
    assert checked["gain"] == pytest.approx(gain, abs=2e-4)
    assert checked["price"] == pytest.approx(better - then["utility"], abs=2e-4)
    assert checked["passed"] == (checked["gain"] <= checked["price"])
    assert record["tier"] == tier


@pytest.mark.parametrize("provider", ["anthropic", "openai-compatible"])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("small", "text"), [(REFUSES, "(call 2)"), ("small", "all 1)")]
)
async def test_clients_of_anthropics_dialect_get_the_answer_that_passed(
    upstream: FaultLLM, tmp_path: Path, provider, stream, small, text
):
    given = catalog(upstream.url, small)
    backends = tuple(replace(each, provider=provider) for each in given.backends)
    asked = {
        "model": "auto",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": "Hi"}],
    }
    async with (
        serving(replace(given, backends=backends), tmp_path) as gateway,
        AsyncAnthropic(base_url=gateway.url, api_key="any", max_retries=0) as client,
    ):
        if stream:
            async with client.messages.stream(**asked) as events:
                message = await events.get_final_message()
        else:
            message = await client.messages.create(**asked)
        await gateway.settled()
        [record] = gateway.records("request")

    assert message.content[0].text.endswith(text)
    assert record["attempts"] == len(upstream.attempts)
    assert record["cost_nano"] > 0


async def test_two_samples_of_anthropics_dialect_differ_in_temperature(
    upstream: FaultLLM, tmp_path: Path
):
    given = catalog(upstream.url, "small", cascade_check="agreement")
    backends = tuple(replace(each, provider="anthropic") for each in given.backends)
    body = {
        "model": "auto",
        "max_tokens": 100,
        "temperature": 0.0,
        "messages": [{"role": "user", "content": "Hi"}],
    }
    async with (
        serving(replace(given, backends=backends), tmp_path) as gateway,
        httpx.AsyncClient(verify=False) as client,
    ):
        await client.post(
            f"{gateway.url}/v1/messages",
            json=body,
            headers={"anthropic-version": "2023-06-01"},
        )

    temperatures = [each.body["temperature"] for each in upstream.attempts]
    assert temperatures[:2] == [0.0, 0.7]
