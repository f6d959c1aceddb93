"""Conversations through the gateway: tool loops, affinity, and several workers."""

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest
from anthropic import AsyncAnthropic

from gateway.conversations import FORGOTTEN_SECONDS, MOST, Conversations, key_of
from gateway.ledger.books import Caller
from gateway.shared.shared import Shared
from routing.affinity import Visit
from routing.catalog import Catalog, Tier
from routing.chat import ChatRequest
from routing.health import Outcome
from tests.faultllm import FaultLLM
from tests.gateway.turns import CALL, RESULT, TOOLS, said, steps, tier, turn, user
from tests.harness import Clock, Gateway, backend, serving, three_tiers
from tests.memory_state import MemoryState
from tests.workers import State, workers


@pytest.fixture
async def gateway(upstream: FaultLLM, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with serving(three_tiers(upstream.url), tmp_path) as running:
        yield running


async def test_an_open_tool_loop_keeps_the_tier_that_called_the_tools(
    gateway: Gateway,
):
    session = {"x-llm-router-session": "s1"}
    pin = {"x-llm-router-pin": "tier-3"}
    first = await turn(gateway, user("Hi"), headers=session | pin, tools=TOOLS)
    # By itself this is a request for tier 2.
    loop = await turn(
        gateway, user("Go on."), CALL, RESULT, headers=session, tools=TOOLS
    )
    told = steps(gateway)
    ended = await turn(
        gateway, user("Go on."), CALL, RESULT, said(), user("Hi"), headers=session
    )

    assert tier(first) == "3"
    assert tier(loop) == "3"
    assert told[0]["text"] == "A tool loop is open: it stays at tier 3."
    assert tier(ended) == "1"


async def test_without_a_header_the_first_turns_tell_the_conversation(
    gateway: Gateway,
):
    await turn(gateway, user("Hi"), headers={"x-llm-router-pin": "tier-3"})
    loop = await turn(gateway, user("Hi"), CALL, RESULT)
    other = await turn(gateway, user("Ho"), CALL, RESULT)

    assert (tier(loop), tier(other)) == ("3", "1")


async def test_a_loop_never_goes_above_what_the_request_allows(gateway: Gateway):
    session = {"x-llm-router-session": "s1"}
    pinned = {**session, "x-llm-router-pin": "tier-3"}
    await turn(gateway, user("Hi"), headers=pinned)
    bounded = {**session, "x-llm-router-max-tier": "2"}
    loop = await turn(gateway, user("Hi"), CALL, RESULT, headers=bounded)

    assert tier(loop) == "2"


async def test_a_backend_that_is_down_is_left_in_the_middle_of_a_loop(
    upstream: FaultLLM, tmp_path: Path
):
    catalog = three_tiers(upstream.url, allow_downgrade=True)
    async with serving(catalog, tmp_path) as gateway:
        await turn(gateway, user("Hi"), headers={"x-llm-router-pin": "tier-3"})
        with gateway.runtime.pool.lease(catalog.by_name["large"]) as lease:
            lease.report(Outcome.AUTH)
        loop = await turn(gateway, user("Hi"), CALL, RESULT)

    assert (loop.status, tier(loop)) == (200, "2")


async def test_conversations_of_two_scopes_never_meet(
    upstream: FaultLLM, tmp_path: Path
):
    keys = {"sk-a": Caller(scope="key:1"), "sk-b": Caller(scope="key:2")}
    async with serving(three_tiers(upstream.url), tmp_path, keys=keys) as gateway:
        for key, pin in (("sk-a", {"x-llm-router-pin": "tier-3"}), ("sk-b", {})):
            headers = {
                "authorization": f"Bearer {key}",
                "x-llm-router-session": "same",
                **pin,
            }
            reply = await turn(gateway, user("Hi"), CALL, RESULT, headers=headers)

    assert tier(reply) == "1"


def twins(url: str) -> Catalog:
    names = [f"b{number}" for number in range(6)]
    same = tuple(backend(name, 1, url) for name in names)
    return Catalog((Tier(1, "small"),), same)


async def test_among_equals_the_backend_before_is_preferred(
    upstream: FaultLLM, tmp_path: Path
):
    async with serving(twins(upstream.url), tmp_path) as gateway:
        history = [user("Hi")]
        used = set()
        for _ in range(8):
            reply = await turn(gateway, *history)
            used.add(reply.headers["x-llm-router-model"])
            history += [said(), user("And?")]

    assert len(used) == 1


async def test_anthropic_s_client_has_conversations_too(gateway: Gateway):
    async with AsyncAnthropic(base_url=gateway.url, api_key="any") as client:
        ask_first = {"role": "user", "content": "Add 2 and 2."}
        pin = {"x-llm-router-pin": "tier-3"}
        await client.messages.create(
            model="auto", max_tokens=50, messages=[ask_first], extra_headers=pin
        )
        use = {"type": "tool_use", "id": "t1", "name": "add", "input": {}}
        result = {"type": "tool_result", "tool_use_id": "t1", "content": "4"}
        told = {"type": "text", "text": "Quickly, please."}
        loop = await client.messages.with_raw_response.create(
            model="auto",
            max_tokens=50,
            messages=[
                ask_first,
                {"role": "assistant", "content": [use]},
                {"role": "user", "content": [result, told]},
            ],
        )

    assert loop.headers["x-llm-router-tier"] == "3"


async def test_workers_hear_of_each_other_s_calls(
    upstream: FaultLLM, tmp_path: Path, ways: State
):
    async with workers(three_tiers(upstream.url), tmp_path, ways) as (one, two):
        await turn(one, user("Hi"), headers={"x-llm-router-pin": "tier-3"})
        await one.settled()
        loop = await turn(two, user("Hi"), CALL, RESULT)

    assert tier(loop) == "3"


async def test_without_shared_state_a_worker_knows_its_own_calls(
    upstream: FaultLLM, tmp_path: Path
):
    state, catalog = MemoryState(), three_tiers(upstream.url)
    state.down = True
    async with serving(catalog, tmp_path, state=state) as gateway:
        await turn(gateway, user("Hi"), headers={"x-llm-router-pin": "tier-3"})
        loop = await turn(gateway, user("Hi"), CALL, RESULT)

    assert (loop.status, tier(loop)) == (200, "3")


# --- the table ------------------------------------------------------------------------


def chat(text: str = "Hi", **fields: object) -> ChatRequest:
    body = {"messages": [{"role": "system", "content": "S"}, user(text)]}
    return ChatRequest(body, **{"scope": "a", "request_id": "r", **fields})


def test_the_key_is_the_scope_and_the_name_or_the_first_turns():
    longer = chat()
    longer.body["messages"] += [said(), user("More")]
    keys = [
        key_of(chat()),
        key_of(chat(scope="b")),
        key_of(chat("Ho")),
        key_of(chat(namespace="n")),
        key_of(chat(session="s")),
        key_of(chat(session="s", scope="b")),
    ]

    assert len(set(keys)) == len(keys)
    assert key_of(longer) == key_of(chat())
    assert key_of(chat("Ho", session="s")) == key_of(chat(session="s"))
    assert key_of(ChatRequest({"input": "x"}, "a", "r", session="s")) is None


def test_marks_for_a_prompt_cache_that_move_on_keep_the_conversation():
    def asked(**mark: object) -> ChatRequest:
        part = {"type": "text", "text": "Hi", **mark}
        body = {"messages": [{"role": "user", "content": [part]}]}
        return ChatRequest(body, "a", "r")

    marked = asked(cache_control={"type": "ephemeral"})
    assert key_of(marked) == key_of(asked())


async def test_the_table_is_bounded_and_forgets():
    wall = Clock(0.0)
    table = Conversations(wall, None)
    for number in range(MOST + 5):
        table.note(str(number).encode(), Visit("b", 1, 0, 0, 0.0))

    assert len(table) == MOST
    assert await table.recall(b"0") is None
    assert await table.recall(b"5") == Visit("b", 1, 0, 0, 0.0)
    wall.now = FORGOTTEN_SECONDS + 1
    assert await table.recall(b"5") is None


async def test_garbage_in_shared_state_is_no_visit():
    state = MemoryState()
    shared = Shared(state, "secret", Random(1))
    table = Conversations(Clock(0.0), shared)
    await state.put([shared.seal.name("visit", b"k")], b"garbage", 60)

    assert await table.recall(b"k") is None
