"""One budget for audits, however many workers, with and without Redis, and after a
restart: by what the provider itself would charge."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.faultllm import ThreadedFaultLLM
from tests.gateway.audits import COUNTRIES
from tests.instance import Instance
from tests.redis_server import redis_server

pytestmark = pytest.mark.service
BUDGET = 0.03
CONFIG = f"""
cache: {{judge: large, audit_share: 1, audit_budget_usd: {BUDGET}}}
"""
# Dollars per million tokens, in and out.
PRICES = {"small": (1.0, 5.0), "medium": (3.0, 15.0), "large": (15.0, 75.0)}
OURS = "SELECT request_id FROM gateway_requestlog WHERE endpoint LIKE 'cache.%'"
UNSETTLED = (
    "SELECT count(*) FROM gateway_requestlog WHERE endpoint LIKE 'cache.%' "
    "AND request_id NOT IN (SELECT request_id FROM gateway_attempt)"
)


@pytest.fixture(params=["alone", "redis"])
def environ(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    if request.param == "alone":
        yield {}
        return
    (tmp_path / "redis").mkdir()
    with redis_server(tmp_path / "redis") as redis:
        # A machine that is busy with tests may starve it for a while.
        yield {"REDIS_URL": redis.url, "LLM_ROUTER_REDIS_TIMEOUT_MS": "5000"}


async def ask_twice(url: str, country: str, day: int) -> str:
    """Two wordings over one connection, which one worker answers; how it did."""
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        for words in (
            "What is the capital of {} in {}?",
            "What's the capital of {} in {}?",
        ):
            content = words.format(country, 1900 + day)
            body = {
                "max_tokens": 40,
                "messages": [{"role": "user", "content": content}],
            }
            answer = await client.post("/v1/chat/completions", json=body)
        return answer.headers.get("x-llm-router-cache-level", "")


def hits(url: str, day: int) -> int:
    async def ask_all() -> list[str]:
        asked = (ask_twice(url, country, day) for country in COUNTRIES)
        return await asyncio.gather(*asked)

    return asyncio.run(ask_all()).count("canonical")


def charged(instance: Instance, upstream: ThreadedFaultLLM) -> float:
    ours = {request_id for (request_id,) in instance.query(OURS)}
    total = 0.0
    for attempt in upstream.attempts:
        if attempt.attempt_id.rpartition("-")[0] in ours:
            price_in, price_out = PRICES[attempt.model]
            total += attempt.prompt_billed * price_in / 1e6
            total += attempt.completion_billed * price_out / 1e6
    return total


def settled(instance: Instance, upstream: ThreadedFaultLLM) -> float:
    """What was charged once nothing is under way and all of it is in the books."""
    deadline = time.monotonic() + 60
    same, seen = 0, -1
    while same < 8:
        assert time.monotonic() < deadline
        (stored,) = instance.query("SELECT count(*) FROM gateway_attempt")[0]
        quiet = stored == upstream.total == seen
        same, seen = (same + 1 if quiet else 0), stored
        time.sleep(0.25)
    assert instance.query(UNSETTLED) == [(0,)]
    return charged(instance, upstream)


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_together_stay_within_the_days_budget_also_after_a_restart(
    tmp_path: Path,
    threaded_upstream: ThreadedFaultLLM,
    environ: dict[str, str],
    workers: int,
):
    instance = Instance(tmp_path, threaded_upstream.url, extra_config=CONFIG)
    with instance.serving("--workers", str(workers), **environ) as url:
        found = [hits(url, day) for day in range(4)]
        first = settled(instance, threaded_upstream)
    with instance.serving("--workers", str(workers), **environ) as url:
        found += [hits(url, day) for day in range(4, 5)]
        after = settled(instance, threaded_upstream)

    assert min(found) > len(COUNTRIES) / 2
    assert BUDGET / 2 < first <= after <= BUDGET
