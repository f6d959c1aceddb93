"""What clients wish by header: wrong values, namespaces, lifetimes."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from routing.catalog import Policy
from tests.faultllm import FaultLLM
from tests.harness import Gateway, ask, serving, three_tiers

HEADERS = [
    ("x-llm-router-dry-run", "yes"),
    ("x-llm-router-cache-ttl", "0"),
    ("x-llm-router-cache-ttl", "1.5"),
    ("x-llm-router-cache-ttl", "-1"),
    ("x-llm-router-cache-ttl", "9" * 5000),
    ("x-llm-router-cache-ttl", "\u0661".encode()),
    ("x-llm-router-timeout", "0"),
    ("x-llm-router-timeout", "0.0"),
    ("x-llm-router-timeout", "-1"),
    ("x-llm-router-timeout", "1e3"),
    ("x-llm-router-timeout", "nan"),
    ("x-llm-router-timeout", "9" * 5000),
    ("x-llm-router-cache-namespace", "a b"),
    ("x-llm-router-cache-namespace", "n" * 129),
    ("x-llm-router-cache-namespace", "\u00e9".encode()),
    ("x-llm-router-session", "my session"),
    ("x-llm-router-session", "s" * 129),
    ("x-llm-router-max-tier", "top"),
    ("x-llm-router-tags", "t" * 65),
]


@pytest.mark.parametrize(("name", "value"), HEADERS)
async def test_a_wrong_value_is_a_400_that_names_the_header(
    upstream: FaultLLM, tmp_path: Path, name: str, value: str
):
    async with serving(three_tiers(upstream.url), tmp_path) as gateway:
        reply = await ask(gateway, headers={name: value})

    assert (reply.status, reply.error["param"]) == (400, name)
    assert name in reply.error["message"]


async def test_a_pin_that_does_not_exist_is_a_404_that_names_the_header(
    upstream: FaultLLM, tmp_path: Path
):
    async with serving(three_tiers(upstream.url), tmp_path) as gateway:
        reply = await ask(gateway, headers={"x-llm-router-pin": "tier-9"})

    assert (reply.status, reply.error["param"]) == (404, "x-llm-router-pin")


async def answers(gateway: Gateway, *headers: dict[str, str]) -> list[str]:
    replies = [await ask(gateway, headers=each) for each in headers]
    return [reply.headers["x-llm-router-cache"] for reply in replies]


async def test_a_namespace_is_a_cache_of_its_own(upstream: FaultLLM, tmp_path: Path):
    one = {"x-llm-router-cache-namespace": "one"}
    two = {"x-llm-router-cache-namespace": "two"}
    async with serving(three_tiers(upstream.url), tmp_path) as gateway:
        found = await answers(gateway, {}, one, two, {}, one, two)

    assert found == ["MISS", "MISS", "MISS", "HIT", "HIT", "HIT"]


async def test_other_wordings_are_found_within_the_namespace_only(
    upstream: FaultLLM, tmp_path: Path
):
    here = {"x-llm-router-cache-namespace": "here"}
    async with serving(three_tiers(upstream.url), tmp_path) as gateway:
        await ask(gateway, "What is the capital of France?", headers=here)
        outside = await ask(gateway, "What's France's capital?")
        await ask(gateway, "What is the capital of Spain?", headers=here)
        inside = await ask(gateway, "What's Spain's capital?", headers=here)

    assert outside.headers["x-llm-router-cache"] == "MISS"
    assert inside.headers["x-llm-router-cache-level"] == "canonical"


async def test_namespaces_do_not_share_a_call_in_flight(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = three_tiers(upstream.url)
    slow = tuple(replace(each, model="fault/hold") for each in catalog.backends)
    async with serving(replace(catalog, backends=slow), tmp_path) as gateway:
        waiting = [
            asyncio.create_task(ask(gateway, headers=headers))
            for headers in ({}, {}, {"x-llm-router-cache-namespace": "a"})
        ]
        await gateway.called(3)
        while upstream.holding < 2:
            await asyncio.sleep(0.005)
        upstream.release()
        replies = await asyncio.gather(*waiting)

    cache = sorted(reply.headers["x-llm-router-cache"] for reply in replies)
    assert cache == ["MISS", "MISS", "SHARED"]


@pytest.mark.parametrize(
    ("asked", "at", "found"),
    [
        ("5", 4, "HIT"),
        ("5", 6, "MISS"),
        ("900", 890, "HIT"),  # longer than the policy's 300 seconds
        ("90000", 990, "HIT"),
        ("90000", 1010, "MISS"),  # the policy's bound
    ],
)
async def test_an_answer_lives_as_long_as_its_client_asked_within_the_bound(
    upstream: FaultLLM, tmp_path: Path, asked: str, at: float, found: str
):
    catalog = three_tiers(upstream.url, cache_max_ttl_seconds=1000.0)
    now = [1000.0]
    async with serving(catalog, tmp_path, clock=lambda: now[0]) as gateway:
        await ask(gateway, headers={"x-llm-router-cache-ttl": asked})
        now[0] += at
        later = await ask(gateway)

    assert later.headers["x-llm-router-cache"] == found


def test_the_bound_of_a_lifetime_is_never_below_the_policy_s_own():
    policy = Policy(cache_ttl_seconds=300.0, cache_max_ttl_seconds=10.0)

    assert policy.bounded_ttl(900.0) == 300.0
    assert policy.bounded_ttl(None) is None
