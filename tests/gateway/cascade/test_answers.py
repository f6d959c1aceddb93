"""Cheap first: whole answers, who answers in doubt, and what it costs."""

from pathlib import Path

import pytest

from tests.faultllm import FaultLLM
from tests.gateway.cascade.doubting import REFUSES, catalog, check, steps
from tests.harness import ask, serving


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
