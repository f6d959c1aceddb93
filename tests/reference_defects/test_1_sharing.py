"""Defect 1 of the reference: a deduplicator that was never called."""

import asyncio
from pathlib import Path

import pytest

from tests.faultllm import FaultLLM
from tests.harness import ask, one_backend, serving
from tests.reference_defects.asking import KEYS, at_once


@pytest.mark.parametrize("stream", [False, True])
async def test_1_identical_requests_at_once_make_one_call(
    upstream: FaultLLM, tmp_path: Path, stream: bool
):
    catalog = one_backend(upstream.url, "fault/hold")
    async with serving(catalog, tmp_path) as gateway:
        replies = await at_once(gateway, upstream, [{"stream": stream}] * 5, 1)

    assert len({reply.content for reply in replies}) == 1
    assert len(upstream.attempts) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"model": "small"},
        {"temperature": 0.1},
        {"max_tokens": 7},
        {"headers": {"authorization": "Bearer two"}},
    ],
)
async def test_1_requests_that_differ_are_not_shared(
    upstream: FaultLLM, tmp_path: Path, other: dict
):
    catalog = one_backend(upstream.url, "fault/hold")
    async with serving(catalog, tmp_path, keys=KEYS) as gateway:
        mine = {"headers": {"authorization": "Bearer one"}}
        replies = await at_once(gateway, upstream, [mine, {**mine, **other}], 2)

    assert [reply.status for reply in replies] == [200, 200]
    assert len(upstream.attempts) == 2


async def test_1_a_leader_that_crashes_leaves_nothing_behind(
    upstream: FaultLLM, tmp_path: Path
):
    async with serving(one_backend(upstream.url), tmp_path) as gateway:
        pool, gateway.runtime.pool = gateway.runtime.pool, None  # a bug of ours
        crashed = await asyncio.gather(*(ask(gateway) for _ in range(3)))
        left = len(gateway.runtime.inflight)
        gateway.runtime.pool = pool
        after = await ask(gateway)

    assert {reply.status for reply in crashed} == {500}
    assert left == 0
    assert after.status == 200


@pytest.mark.slow
async def test_1_who_waits_long_still_makes_no_call_of_his_own(
    upstream: FaultLLM, tmp_path: Path
):
    """There a waiter gave up after five seconds and asked again, at full price."""
    catalog = one_backend(upstream.url, "fault/delay-6s")
    async with serving(catalog, tmp_path) as gateway:
        replies = await asyncio.gather(*(ask(gateway) for _ in range(3)))

    assert [reply.status for reply in replies] == [200] * 3
    assert len(upstream.attempts) == 1
