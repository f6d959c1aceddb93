"""Cheap first: judges, second samples and the probability of tokens."""

from pathlib import Path

import pytest

from tests.faultllm import FaultLLM
from tests.gateway.cascade.doubting import catalog, check, steps
from tests.harness import ask, serving


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
