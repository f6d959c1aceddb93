"""Answers that are errors or nonsense, and claims of usage (U7-U14, U16)."""

from pathlib import Path

import pytest

from tests.faultllm import FaultLLM
from tests.faults.outcomes import assert_is_error, once, two_backends
from tests.harness import (
    ask,
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
    assert "<html" not in reply.text
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


async def test_u9_an_overloaded_provider_is_replaced(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = two_backends(upstream.url, upstream.url, "fault/overloaded-529")
    reply, _ = await once(catalog, tmp_path)
    alone, _ = await once(
        one_backend(upstream.url, "fault/overloaded-529"), tmp_path / "alone"
    )

    assert reply.headers["x-llm-router-model"] == "spare"
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
        reply = await ask(gateway)
        shown = gateway.runtime.pool.status(gateway.runtime.snapshot.catalog)[0]
        attempts = gateway.records("attempt")

    assert reply.status == 400
    assert [(a["state"], a["cost_nano"]) for a in attempts] == [("free", 0)]
    assert shown["status"] in ("healthy", "starting")
    assert len(upstream.attempts) == 1


async def test_u14_a_prompt_too_long_says_so(upstream: FaultLLM, tmp_path: Path):
    reply, _ = await once(
        one_backend(upstream.url, "fault/context-length-400"), tmp_path
    )

    assert_is_error(reply, 400, "context_length_exceeded")


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
