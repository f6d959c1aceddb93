"""Another tier's answer, compared by a judge that sees neither names nor places."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from gateway.pairs import RULE
from gateway.runtime.database import in_database
from routing.catalog import Catalog
from routing.learned.brain import Brain
from routing.learned.features import Row
from routing.models import Judgement
from tests.faultllm import FaultLLM
from tests.harness import Gateway, ask, backend, serving, three_tiers


@asynccontextmanager
async def judge(says) -> AsyncIterator[str]:
    """A provider whose one model says what `says` makes of both answers."""

    async def complete(request: web.Request) -> web.Response:
        body = await request.json()
        assert body["messages"][0]["content"] == RULE
        found = re.findall(
            r"(?:First|Second) answer:\n(.*)", body["messages"][1]["content"]
        )
        message = {"role": "assistant", "content": says(*found)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 50, "completion_tokens": 1, "total_tokens": 51}
        answer = {"id": "1", "object": "chat.completion", "created": 1, "model": "j"}
        return web.json_response({**answer, "choices": [choice], "usage": usage})

    app = web.Application()
    app.router.add_post("/v1/chat/completions", complete)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def prefer(word: str):
    """The place of the answer that holds this word."""
    return lambda first, second: (
        "FIRST" if word in first else "SECOND." if word in second else "same"
    )


def with_judge(upstream: FaultLLM, url: str, **policy) -> Catalog:
    catalog = three_tiers(
        upstream.url,
        **{"learned_judge": "judge", "learned_pair_share": 1.0, "cache_enabled": False}
        | policy,
    )
    small, medium, large = catalog.backends
    backends = (
        replace(small, model="fault/say=plain"),
        replace(medium, model="fault/say=fine"),
        replace(large, model="fault/say=grand"),
        backend("judge", 3, url, weight=0.001),
    )
    brain = Brain(learning=True)
    return replace(catalog, backends=backends, brain=brain)


async def compared(gateway: Gateway) -> list[Judgement]:
    await gateway.settled()
    return await in_database(lambda: list(Judgement.objects.all()))


@pytest.mark.parametrize(
    ("says", "verdict"),
    [
        (prefer("grand"), "worse"),
        (prefer("plain"), "better"),
        (prefer("nothing"), "equal"),
        (lambda first, second: "FIRST", "equal"),  # it favours a place
    ],
)
async def test_the_cheapest_tiers_answer_is_compared_with_the_baselines(
    upstream: FaultLLM, tmp_path: Path, transactional_db, says, verdict
):
    async with (
        judge(says) as url,
        serving(with_judge(upstream, url), tmp_path) as gateway,
    ):
        reply = await ask(gateway, "Hello")
        [found] = await compared(gateway)
        records = gateway.records("request")

    assert reply.headers["x-llm-router-tier"] == "1"
    assert (found.cheap_tier, found.baseline_tier, found.verdict) == (1, 3, verdict)
    assert (found.scope, found.source) == ("local", "judge")
    assert len(Row.unpack(bytes(found.row)).buckets) > 0
    asked = {record["endpoint"]: record for record in records}
    assert set(asked) == {"chat.completions", "learn.pair", "learn.judge"}
    assert all(record["cost_nano"] > 0 for record in records)  # each has its own row
    assert asked["learn.pair"]["tags"] == ["learn-pair", found.request_id]


async def test_a_judge_that_talks_settles_nothing(
    upstream: FaultLLM, tmp_path: Path, transactional_db
):
    async with (
        judge(lambda first, second: "The first, I think") as url,
        serving(with_judge(upstream, url), tmp_path) as gateway,
    ):
        await ask(gateway, "Hello")
        assert await compared(gateway) == []


@pytest.mark.parametrize(
    "off",
    [{"learned_pair_share": 0.0}, {"learned_judge": ""}, {"learned_judge": "gone"}],
)
async def test_it_is_off_unless_an_operator_wants_it_and_there_is_a_judge(
    upstream: FaultLLM, tmp_path: Path, transactional_db, off
):
    async with (
        judge(prefer("grand")) as url,
        serving(with_judge(upstream, url, **off), tmp_path) as gateway,
    ):
        await ask(gateway, "Hello")
        assert await compared(gateway) == []

    assert len(upstream.attempts) == 1


async def test_half_of_them_are_compared_and_none_beyond_the_days_budget(
    upstream: FaultLLM, tmp_path: Path, transactional_db
):
    async with judge(prefer("grand")) as url:
        catalog = with_judge(upstream, url, learned_pair_share=0.5)
        async with serving(catalog, tmp_path / "half") as gateway:
            for number in range(4):
                await ask(gateway, f"Hello {number}")
                await compared(gateway)
            assert len(await compared(gateway)) == 2
        catalog = with_judge(upstream, url, learned_pair_budget_usd=0.0)
        async with serving(catalog, tmp_path / "broke") as gateway:
            await ask(gateway, "Hello again")
            assert len(await compared(gateway)) == 2


async def test_many_answers_at_once_stay_within_the_days_budget(
    upstream: FaultLLM, tmp_path: Path, transactional_db
):
    """What is under way counts as well: no row of it is in the database yet."""
    async with judge(prefer("grand")) as url:
        catalog = with_judge(
            upstream,
            url,
            learned_pair_budget_usd=0.05,
            default_max_output_tokens=50,
        )
        async with serving(catalog, tmp_path) as gateway:
            await asyncio.gather(*(ask(gateway, f"Hello {n}") for n in range(40)))
            found = await compared(gateway)
            for number in range(40):  # and what is given back is used
                await ask(gateway, f"Hello again {number}")
            more = await compared(gateway)
            records = gateway.records("request")

    paid = [r["cost_nano"] for r in records if r["endpoint"].startswith("learn.")]
    assert 0 < len(found) < len(more) < 80
    assert sum(paid) <= 0.05 * 1e9
    assert sum(paid) > 0.5 * 0.05 * 1e9


async def test_a_budget_that_no_comparison_fits_is_told_once(
    upstream: FaultLLM, tmp_path: Path, transactional_db
):
    async with judge(prefer("grand")) as url:
        catalog = with_judge(upstream, url, learned_pair_budget_usd=0.001)
        async with serving(catalog, tmp_path) as gateway:
            with capture_logs() as logs:
                await ask(gateway, "Hello")
                await ask(gateway, "Hello again")
                assert await compared(gateway) == []

    [told] = [log for log in logs if log["event"] == "comparison_exceeds_budget"]
    assert told["may_cost_usd"] > told["budget_usd"] == 0.001
