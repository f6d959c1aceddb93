"""Several workers of one instance: one stored answer and one call for all of them."""

import asyncio
from pathlib import Path
from time import time

import pytest

from gateway.cache import Withdrawal, Withdrawals
from gateway.errors import ShuttingDown
from tests.faultllm import FaultLLM
from tests.harness import Gateway, ask, one_backend
from tests.memory_state import MemoryState
from tests.workers import State, readers, until, workers

QUESTION = "What is the capital of France?"

ENDED = ShuttingDown("The test ends it.")

OTHER_WORDING = "What's France's capital city?"


def rows(gateway: Gateway) -> list[tuple]:
    return [
        (row["cache"], row["cost_nano"], row["status"])
        for row in gateway.records("request")
    ]


def watched(memory: MemoryState) -> bool:
    return any(name.endswith(":watch") for name in memory._values)


# --- stored answers -------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("text", "level"), [(QUESTION, "exact"), (OTHER_WORDING, "canonical")]
)
async def test_what_one_worker_bought_is_a_hit_in_the_other(
    upstream: FaultLLM, tmp_path: Path, ways: State, text: str, level: str, stream: bool
):
    async with workers(one_backend(upstream.url), tmp_path, ways) as (one, two):
        bought = await ask(one, QUESTION)
        again = await ask(two, text, stream=stream)
        here = await ask(two, text)

    assert bought.headers["x-llm-router-cache"] == "MISS"
    for reply in (again, here):
        assert reply.headers["x-llm-router-cache"] == "HIT"
        assert reply.content == bought.content
    # Another wording's answer never comes back as the exact request's.
    assert again.headers["x-llm-router-cache-level"] == level
    assert here.headers["x-llm-router-cache-level"] == level
    assert len(upstream.attempts) == 1
    assert {cost for _, cost, _ in rows(two)} == {0}
    request_id = one.records("request")[0]["request_id"]
    assert {row["answered_by"] for row in two.records("request")} == {request_id}


async def test_a_stream_is_stored_for_all_and_no_store_for_nobody(
    upstream: FaultLLM, tmp_path: Path, ways: State
):
    async with workers(one_backend(upstream.url), tmp_path, ways) as (one, two):
        await ask(one, QUESTION, stream=True)
        again = await ask(two, QUESTION)
        no_store = {"cache-control": "no-store"}
        await ask(one, "2+2", headers=no_store)
        not_there = await ask(two, "2+2")

    assert again.headers["x-llm-router-cache"] == "HIT"
    assert not_there.headers["x-llm-router-cache"] == "MISS"


# --- calls in flight ------------------------------------------------------------------


async def test_what_was_purged_by_model_is_not_taken_from_shared_state(
    upstream: FaultLLM, tmp_path: Path, ways: State
):
    async with workers(one_backend(upstream.url), tmp_path, ways) as (one, two):
        await ask(one, QUESTION)
        purge = Withdrawal("", "small", time())
        two.change_snapshot(withdrawals=Withdrawals((purge,)))
        fresh = await ask(two, QUESTION)
        again = await ask(two, QUESTION)

    assert fresh.headers["x-llm-router-cache"] == "MISS"
    assert again.headers["x-llm-router-cache"] == "HIT"
    assert again.content == fresh.content
    assert len(upstream.attempts) == 2


@pytest.mark.parametrize("stream", [False, True])
async def test_identical_requests_on_two_workers_share_one_call(
    upstream: FaultLLM, tmp_path: Path, ways: State, stream: bool
):
    script = "fault/words-20+hold-after-5" if stream else "fault/words-20+hold"
    catalog = one_backend(upstream.url, script)
    async with workers(catalog, tmp_path, ways) as (one, two):
        first = [asyncio.create_task(ask(one, stream=stream)) for _ in range(3)]
        await upstream.until(lambda: upstream.holding == 1)
        others = [asyncio.create_task(ask(two, stream=stream)) for _ in range(3)]
        await two.called(3)
        await until(lambda: readers(one) == 4)  # the leader has heard of them
        upstream.release()
        replies = await asyncio.gather(*first, *others)
        await one.settled()

    assert len(upstream.attempts) == 1
    assert len({reply.content for reply in replies}) == 1
    assert len(replies[0].content.split()) == 20
    if stream:
        assert {reply.events[-1] for reply in replies} == {"[DONE]"}
    assert sorted(rows(two)) == [("SHARED", 0, 200)] * 3
    (attempt,) = one.records("attempt")
    leader = next(r for r in one.records("request") if r["cache"] == "MISS")
    for row in two.records("request"):
        assert row["answered_by"] == leader["request_id"]
        assert row["completion_tokens"] == attempt["completion_tokens"]
        assert row["attempts"] == 0


async def test_an_error_reaches_every_waiter_once(
    upstream: FaultLLM, tmp_path: Path, ways: State
):
    catalog = one_backend(upstream.url, "fault/hold+status-500")
    async with workers(catalog, tmp_path, ways) as (one, two):
        first = asyncio.create_task(ask(one))
        await upstream.until(lambda: upstream.holding == 1)
        second = asyncio.create_task(ask(two))
        await two.called()
        upstream.release()
        replies = await asyncio.gather(first, second)

    told = [(reply.status, reply.error["code"]) for reply in replies]
    assert told == [(502, "upstream_error")] * 2
    assert len(upstream.attempts) == 1


async def test_the_call_goes_on_for_the_other_worker_when_its_own_readers_leave(
    upstream: FaultLLM, tmp_path: Path, ways: State
):
    catalog = one_backend(upstream.url, "fault/hold")
    async with workers(catalog, tmp_path, ways) as (one, two):
        first = asyncio.create_task(ask(one))
        await upstream.until(lambda: upstream.holding == 1)
        second = asyncio.create_task(ask(two))
        await two.called()
        await until(lambda: readers(one) == 2)
        first.cancel()
        await until(lambda: one.runtime.admission.in_flight == 0)
        upstream.release()
        reply = await second
        await one.settled()

    assert (reply.status, reply.headers["x-llm-router-cache"]) == (200, "SHARED")
    assert [a.outcome for a in upstream.attempts] == ["completed"]
    assert [a["state"] for a in one.records("attempt")] == ["billed"]


async def test_a_call_that_nobody_wants_any_more_is_cancelled(
    upstream: FaultLLM, tmp_path: Path, ways: State
):
    catalog = one_backend(upstream.url, "fault/hold")
    async with workers(catalog, tmp_path, ways) as (one, two):
        call = asyncio.create_task(ask(one))
        await upstream.until(lambda: upstream.holding == 1)
        call.cancel()
        await upstream.until(lambda: upstream.attempts[0].outcome == "peer-closed")
        await one.settled()
        upstream.always = "ok"
        reply = await ask(two)

    assert reply.headers["x-llm-router-cache"] == "MISS"


async def test_sampled_requests_are_not_shared(
    upstream: FaultLLM, tmp_path: Path, ways: State
):
    async with workers(one_backend(upstream.url), tmp_path, ways) as gateways:
        await asyncio.gather(*(ask(g, temperature=1) for g in gateways for _ in "12"))

    assert len(upstream.attempts) == 4


@pytest.mark.parametrize("stream", [False, True])
async def test_a_damaged_message_is_noticed_and_nobody_hangs(
    upstream: FaultLLM, tmp_path: Path, stream: bool
):
    memory = DamagesMessages()
    upstream.script = ["hold+words-5"]
    catalog = one_backend(upstream.url)
    async with workers(catalog, tmp_path, lambda: memory) as (one, two):
        first = asyncio.create_task(ask(one, stream=stream))
        await upstream.until(lambda: upstream.holding == 1)
        second = asyncio.create_task(ask(two, stream=stream))
        await until(lambda: watched(memory))
        upstream.release()
        replies = await asyncio.gather(first, second)

    assert {reply.status for reply in replies} == {200}
    assert {reply.content != "" for reply in replies} == {True}
    assert two.runtime.shared.seal.broken >= 1


class DamagesMessages(MemoryState):
    async def append(self, stream, number, value, first, seconds):
        await super().append(stream, number, value[:-1] + b"!", first, seconds)


# --- leaders that vanish --------------------------------------------------------------


class OwnWay(MemoryState):
    """One worker's way to the common dictionary, which can be cut."""

    def __init__(self, memory: MemoryState) -> None:
        super().__init__()
        self._values = memory._values


@pytest.mark.parametrize("polite", [True, False])
async def test_a_waiter_takes_over_when_the_leader_vanishes_unseen(
    upstream: FaultLLM, tmp_path: Path, polite: bool
):
    memory = MemoryState()
    upstream.script = ["hold"]
    async with workers(one_backend(upstream.url), tmp_path, lambda: OwnWay(memory)) as (
        one,
        two,
    ):
        first = asyncio.create_task(ask(one))
        await upstream.until(lambda: upstream.holding == 1)
        waiting = [asyncio.create_task(ask(two)) for _ in range(3)]
        await until(lambda: watched(memory))
        if not polite:
            one.runtime.shared.state.down = True
        one.runtime.inflight.fail_all(ENDED)
        replies = await asyncio.gather(*waiting)
        await first

    assert {reply.status for reply in replies} == {200}
    assert len(upstream.attempts) == 2


async def test_who_saw_a_part_of_the_answer_gets_one_clear_error(
    upstream: FaultLLM, tmp_path: Path
):
    memory = MemoryState()
    catalog = one_backend(upstream.url, "fault/words-20+hold-after-5")
    async with workers(catalog, tmp_path, lambda: OwnWay(memory)) as (one, two):
        first = asyncio.create_task(ask(one, stream=True))
        await upstream.until(lambda: upstream.holding == 1)
        second = asyncio.create_task(ask(two, stream=True))
        await until(lambda: any(c.outcome for c in two.runtime.inflight.calls))
        one.runtime.shared.state.down = True
        one.runtime.inflight.fail_all(ENDED)
        reply = await second
        await first

    assert reply.error["code"] == "upstream_incomplete"
    assert "[DONE]" not in reply.events
    assert len(upstream.attempts) == 1
