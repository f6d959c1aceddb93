"""S29, I8: how much may be under way at once, and what a client beyond it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from gateway.ledger.books import Caller
from tests.faultllm import FaultLLM
from tests.harness import Gateway, Reply, ask, one_backend, serving


@asynccontextmanager
async def held(gateway: Gateway, upstream: FaultLLM, *keys: str) -> AsyncIterator[None]:
    """Requests of these keys that are under way until the block ends."""
    tasks = [
        asyncio.create_task(ask_as(gateway, key, f"{number}"))
        for number, key in enumerate(keys)
    ]
    await upstream.until(lambda: upstream.holding == len(keys))
    try:
        yield
    finally:
        upstream.release()
        await asyncio.gather(*tasks)


@asynccontextmanager
async def full(
    upstream: FaultLLM, journal: Path, *keys: str, max_in_flight: int = 1000
) -> AsyncIterator[Gateway]:
    """A gateway on which requests of these keys are under way."""
    catalog = one_backend(upstream.url, "fault/hold")
    async with (
        serving(catalog, journal, keys=KEYS, max_in_flight=max_in_flight) as gateway,
        held(gateway, upstream, *keys),
    ):
        yield gateway


async def ask_as(gateway: Gateway, key: str, text: str = "Hi") -> Reply:
    return await ask(gateway, text, headers={"authorization": f"Bearer {key}"})


KEYS = {
    "two": Caller(scope="key:1", key_name="two", key_id=1, max_in_flight=2),
    "free": Caller(scope="key:2", key_name="free", key_id=2),
    "team-a": Caller(scope="team:t", team="t", key_id=3, max_in_flight=1),
    "team-b": Caller(scope="team:t", team="t", key_id=4, max_in_flight=1),
}


def assert_told_to_wait(reply: Reply, status: int, code: str) -> None:
    assert (reply.status, reply.error["code"]) == (status, code)
    assert 1 <= int(reply.headers["retry-after"]) <= 30


async def test_s29_a_key_has_its_own_bound_of_requests_at_once(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = one_backend(upstream.url, "fault/hold")
    async with serving(catalog, tmp_path, keys=KEYS) as gateway:
        async with held(gateway, upstream, "two", "two"):
            third = await ask_as(gateway, "two", "third")
        gateway.serve_catalog(one_backend(upstream.url))
        after = await ask_as(gateway, "two", "after")

    assert_told_to_wait(third, 429, "rate_limit_exceeded")
    assert "2 requests" in third.error["message"]
    assert after.status == 200


async def test_s29_the_bound_of_one_key_is_not_its_teams(
    upstream: FaultLLM, tmp_path: Path
):
    async with full(upstream, tmp_path, "team-a", "team-b") as gateway:
        again = await ask_as(gateway, "team-a", "again")

    assert_told_to_wait(again, 429, "rate_limit_exceeded")


async def test_s29_the_process_has_its_bound_of_requests_at_once(
    upstream: FaultLLM, tmp_path: Path
):
    async with full(
        upstream, tmp_path, "two", "free", "team-a", max_in_flight=3
    ) as gateway:
        beyond = await ask_as(gateway, "free", "beyond")

    assert_told_to_wait(beyond, 503, "overloaded")


async def test_s29_where_it_is_crowded_one_scope_keeps_to_its_share(
    upstream: FaultLLM, tmp_path: Path
):
    async with full(
        upstream, tmp_path, "free", "free", "two", max_in_flight=4
    ) as gateway:
        greedy = await ask_as(gateway, "free", "more")
        gateway.serve_catalog(one_backend(upstream.url))
        modest = await ask_as(gateway, "two", "also")

    assert_told_to_wait(greedy, 429, "rate_limit_exceeded")
    assert modest.status == 200


async def test_s29_bodies_under_way_together_have_a_bound(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = one_backend(upstream.url)
    async with serving(catalog, tmp_path) as gateway:
        admission = gateway.runtime.admission
        with admission.admit(Caller("other"), admission.max_held_bytes - 1000):
            small = await ask(gateway, "Hi")
            large = await ask(gateway, "x" * 1000)
        freed = await ask(gateway, "x" * 1000)

    assert small.status == freed.status == 200
    assert_told_to_wait(large, 503, "overloaded")


async def test_s29_looking_up_requests_counts_as_a_request(
    upstream: FaultLLM, tmp_path: Path
):
    """It may wait a second for its row: a flood of it must not pile up unseen."""
    async with (
        full(upstream, tmp_path, "two", "two") as gateway,
        httpx.AsyncClient() as client,
    ):
        answer = await client.get(
            f"{gateway.url}/v1/requests/req_1",
            headers={"authorization": "Bearer two"},
        )

    assert answer.status_code == 429


BOUNDS = {
    "llm_router_in_flight",
    "llm_router_held_bytes",
    "llm_router_calls_in_flight",
    "llm_router_cache_entries",
    "llm_router_cache_bytes",
    "llm_router_journal_bytes",
    "llm_router_rejected_total",
}


async def test_i8_what_is_bounded_is_seen_in_the_metrics(
    upstream: FaultLLM, tmp_path: Path
):
    async with (
        full(upstream, tmp_path, "two", "two") as gateway,
        httpx.AsyncClient() as client,
    ):
        await ask_as(gateway, "two", "third")
        bearer = {"authorization": "Bearer free"}
        page = (await client.get(f"{gateway.url}/metrics", headers=bearer)).text

    values = {line.split("{")[0]: line.rsplit(" ", 1)[1] for line in page.splitlines()}
    assert values.keys() >= BOUNDS
    assert float(values["llm_router_in_flight"]) == 2
    assert float(values["llm_router_calls_in_flight"]) == 2
    assert 'llm_router_rejected_total{reason="rate_limit_exceeded"} 1.0' in page
