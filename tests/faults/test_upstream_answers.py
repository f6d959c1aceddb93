"""Answers that are errors or nonsense, and claims of usage (U7-U14, U16, U26)."""

from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from routing.retries import BURST
from tests.faultllm import FaultLLM
from tests.faults.outcomes import assert_is_error, once, two_backends
from tests.harness import (
    Clock,
    ask,
    backend,
    one_backend,
    serving,
    three_tiers,
)


@pytest.mark.parametrize("script", ["html-200", "empty-200", "half-json", "bad-gzip"])
async def test_u7_garbage_with_status_200_is_502_never_shown_and_never_cached(
    upstream: FaultLLM, tmp_path: Path, script: str
):
    catalog = one_backend(upstream.url)
    async with serving(catalog, tmp_path) as gateway:
        upstream.script = [script]
        reply = await ask(gateway)
        again = await ask(gateway)

    assert reply.status == 502
    assert reply.error["code"] in ("bad_upstream_response", "upstream_incomplete")
    for shown in ("doctype", "It works", "Answer to:"):  # of what was sent
        assert shown not in reply.text
    assert (again.status, again.headers["x-llm-router-cache"]) == (200, "MISS")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", range(7, 8)), ("-5", range(1, 121)), ("1000000000", range(120, 121))]
    + [("soon", range(1, 121)), ("Fri, 01 Jan 2027 00:00:00 GMT", range(120, 121))],
)
async def test_u8_a_rate_limit_comes_with_a_wait_that_makes_sense(
    upstream: FaultLLM, tmp_path: Path, header: str, seconds: range
):
    async with serving(one_backend(upstream.url), tmp_path) as gateway:
        upstream.script = [f"retry-after={header}"]
        reply = await ask(gateway)
        status = gateway.runtime.pool.status(gateway.runtime.snapshot.catalog)[0]

    assert_is_error(reply, 429, "rate_limited")
    assert int(reply.headers["retry-after"]) in seconds
    assert status["status"] == "rate_limited"


async def test_u8_another_backend_answers_while_one_is_limited(
    upstream: FaultLLM, tmp_path: Path
):
    clock = Clock()
    catalog = two_backends(upstream.url, upstream.url, "fault/retry-after=30")
    async with serving(catalog, tmp_path, clock=clock) as gateway:
        meanwhile = [await ask(gateway, f"Question {n}") for n in range(3)]
        asked = upstream.total
        clock.now += 30
        await ask(gateway, "Question 3")
        afterwards = upstream.total - asked

    assert {r.headers["x-llm-router-model"] for r in meanwhile} == {"spare"}
    assert asked == 3 + 1  # the limited one was asked once
    assert afterwards == 1 + 1  # and again when its time was up


async def test_u9_an_overloaded_provider_is_replaced(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = two_backends(upstream.url, upstream.url, "fault/overloaded-529")
    async with serving(catalog, tmp_path) as gateway:
        reply = await ask(gateway)
        shown = gateway.runtime.pool.status(gateway.runtime.snapshot.catalog)[0]
    alone, _ = await once(
        one_backend(upstream.url, "fault/overloaded-529"), tmp_path / "alone"
    )

    assert reply.headers["x-llm-router-model"] == "spare"
    assert shown["status"] == "rate_limited"
    assert_is_error(alone, 503, "upstream_overloaded")


async def test_u10_a_storm_of_errors_is_not_multiplied(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = three_tiers(upstream.url)
    async with serving(catalog, tmp_path) as gateway:
        upstream.always = "status-500"
        replies = [await ask(gateway, f"Question {n}") for n in range(100)]

    assert {reply.status for reply in replies} <= {502, 503}
    assert upstream.total <= 120


async def test_u10_however_many_backends_fail_retries_are_a_fifth(
    upstream: FaultLLM, tmp_path: Path
):
    """So many that none of them fails often enough to be left out."""
    few = three_tiers(upstream.url)
    many = tuple(backend(f"small-{n}", 1, upstream.url) for n in range(60))
    async with serving(replace(few, backends=many), tmp_path) as gateway:
        upstream.always = "status-500"
        replies = [await ask(gateway, f"Question {n}") for n in range(100)]

    assert {reply.status for reply in replies} == {502}
    assert 100 < upstream.total <= 120 + BURST


async def test_u10_five_failures_in_a_row_are_enough(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = one_backend(upstream.url, "fault/status-500")
    async with serving(catalog, tmp_path, clock=Clock()) as gateway:
        replies = [await ask(gateway, f"Question {n}") for n in range(20)]

    assert [reply.status for reply in replies] == [502] * 5 + [503] * 15
    assert_is_error(replies[-1], 503, "upstream_unavailable")
    assert upstream.total == 5


async def test_u11_one_failure_in_five_is_not_seen_by_clients(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = two_backends(upstream.url, upstream.url, "fault/flaky-20")
    async with serving(catalog, tmp_path) as gateway:
        replies = [await ask(gateway, f"Question {n}") for n in range(100)]

    assert sum(reply.status == 200 for reply in replies) >= 99
    assert upstream.total <= 120


@pytest.mark.parametrize("status", [401, 403])
async def test_u12_a_revoked_provider_key_is_never_the_clients_401(
    upstream: FaultLLM, tmp_path: Path, status: int
):
    async with serving(
        one_backend(upstream.url, f"fault/status-{status}"), tmp_path
    ) as gateway:
        reply = await ask(gateway)
        shown = gateway.runtime.pool.status(gateway.runtime.snapshot.catalog)[0]

    assert_is_error(reply, 502, "upstream_auth_error")
    assert reply.headers["x-should-retry"] == "false"
    assert shown["status"] == "misconfigured"
    assert "upstream-key" not in reply.text


async def test_u13_the_clients_own_mistake_is_passed_on_and_harms_nobody(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = two_backends(upstream.url, upstream.url, "fault/status-400")
    async with serving(catalog, tmp_path) as gateway:
        # More than would take out one that fails.
        replies = [await ask(gateway, f"Question {n}") for n in range(12)]
        shown = gateway.runtime.pool.status(gateway.runtime.snapshot.catalog)[0]
        attempts = gateway.records("attempt")

    assert {reply.status for reply in replies} == {400}
    assert {(a["state"], a["cost_nano"]) for a in attempts} == {("free", 0)}
    assert shown["status"] in ("healthy", "starting")
    assert len(attempts) == len(upstream.attempts) == 12


async def test_u26_a_model_that_is_missing_is_served_by_another_backend(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = two_backends(upstream.url, upstream.url, "fault/model-missing")
    async with serving(catalog, tmp_path) as gateway:
        replies = [await ask(gateway, f"Question {n}") for n in range(12)]
        shown = gateway.runtime.pool.status(gateway.runtime.snapshot.catalog)[0]

    assert {reply.status for reply in replies} == {200}
    assert shown["status"] == "down"
    assert "does not have the model" in shown["reason"]
    assert upstream.total == 13


async def test_u26_with_no_other_backend_the_operator_is_told_to_mend_it(
    upstream: FaultLLM, tmp_path: Path
):
    async with serving(
        one_backend(upstream.url, "fault/model-missing"), tmp_path
    ) as gateway:
        replies = [await ask(gateway, f"Question {n}") for n in range(3)]
        attempts = gateway.records("attempt")

    assert_is_error(replies[0], 502, "upstream_model_missing")
    assert replies[0].headers["x-should-retry"] == "false"
    assert_is_error(replies[1], 503, "upstream_unavailable")
    assert [(a["state"], a["cost_nano"]) for a in attempts] == [("free", 0)]


async def test_u26_embeddings_that_are_not_offered_keep_no_chat_away(
    upstream: FaultLLM, tmp_path: Path
):
    upstream.script = ["model-missing", "ok"]
    catalog = one_backend(upstream.url, "m")
    both = replace(catalog.backends[0], capabilities="+embeddings")
    async with (
        serving(replace(catalog, backends=(both,)), tmp_path) as gateway,
        httpx.AsyncClient() as client,
    ):
        body = {"model": "m", "input": "Hi"}
        refused = await client.post(f"{gateway.url}/v1/embeddings", json=body)
        reply = await ask(gateway)

    assert refused.json()["error"]["code"] == "upstream_model_missing"
    assert reply.status == 200


async def test_u14_a_prompt_too_long_says_so(upstream: FaultLLM, tmp_path: Path):
    reply, attempts = await once(
        one_backend(upstream.url, "fault/context-length-400"), tmp_path
    )

    assert_is_error(reply, 400, "context_length_exceeded")
    assert [(a["state"], a["cost_nano"]) for a in attempts] == [("free", 0)]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("script", "state"),
    [
        ("usage-missing", "estimated"),
        ("usage-null", "estimated"),
        ("usage-negative", "estimated"),
        ("usage-absurd", "estimated"),
        ("usage-zero", "billed"),
        ("usage-twice", "billed"),
        ("usage-on-content", "billed"),
    ],
)
async def test_u16_usage_is_taken_as_reported_or_estimated_and_never_summed(
    upstream: FaultLLM, tmp_path: Path, script: str, state: str, stream: bool
):
    reply, attempts = await once(
        one_backend(upstream.url, f"fault/{script}"), tmp_path, stream
    )

    assert reply.status == 200
    (attempt,) = attempts
    assert attempt["state"] == state
    if script == "usage-zero":
        assert attempt["cost_nano"] == 0
    elif state == "billed":
        bill = upstream.attempts[0]
        assert attempt["prompt_tokens"] == bill.prompt_billed
        assert attempt["completion_tokens"] == bill.completion_billed
    else:
        assert 0 < attempt["completion_tokens"] < 100
