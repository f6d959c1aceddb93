"""Stored answers that travel: found by whom they are for, and by nobody else."""

from dataclasses import replace
from random import Random

import pytest

from gateway.cache import AnswerCache, Entry, fingerprint
from gateway.cache.portable import entry_to_json
from gateway.shared.answers import SharedAnswers
from gateway.shared.seal import Seal
from routing.catalog import Catalog, Policy, Tier
from routing.chat import ChatRequest, Usage

CATALOG = Catalog((Tier(1, "one"),), (), policy=Policy())
POLICY = CATALOG.policy
CAPITAL = "What is the capital of France?"
ENTRY = Entry('{"text": "é"}'.encode(), Usage(9, 2, 1), "b", "m", 1, 5, 70, "req-1")


def keys(text=CAPITAL, scope="team-a", **fields):
    chat = ChatRequest({"messages": [{"role": "user", "content": text}]}, scope, "r")
    cache = AnswerCache(POLICY, Random(1))
    chat = replace(chat, **fields)
    return cache.find(chat, CATALOG, fingerprint(CATALOG), 0.0)[0]


@pytest.fixture
def answers(state):
    return SharedAnswers(state, Seal("secret"), Random(1))


async def test_an_answer_comes_back_as_it_was_with_what_is_left_of_its_time(answers):
    await answers.put(keys(), ENTRY, POLICY)
    hit = await answers.find(keys(), POLICY)
    assert hit.entry == ENTRY
    assert hit.level == "exact"
    assert 260 < hit.seconds <= 330


async def test_another_wording_finds_it_at_the_canonical_level(answers):
    await answers.put(keys(), ENTRY, POLICY)
    assert (await answers.find(keys("What's France's capital?"), POLICY)).level == (
        "canonical"
    )
    assert await answers.find(keys("What is the capital of Spain?"), POLICY) is None


async def test_nothing_crosses_scopes_or_instances(answers, state):
    await answers.put(keys(), ENTRY, POLICY)
    assert await answers.find(keys(scope="team-b"), POLICY) is None
    stranger = SharedAnswers(state, Seal("another"), Random(1))
    assert await stranger.find(keys(), POLICY) is None


async def test_a_value_planted_under_another_scopes_name_is_not_served(answers, state):
    await answers.put(keys(), ENTRY, POLICY)
    (name, *_), (other, *_) = answers.names(keys()), answers.names(keys(scope="b"))
    stolen = await state.find([name], 10_000)
    await state.put([other], stolen.value, 60.0)
    assert await answers.find(keys(scope="b"), POLICY) is None
    await state.put([other], b"garbage", 60.0)
    assert await answers.find(keys(scope="b"), POLICY) is None


async def test_the_client_wishes_hold_here_too(answers):
    await answers.put(keys(no_store=True), ENTRY, POLICY)
    assert await answers.find(keys(), POLICY) is None
    await answers.put(keys(), ENTRY, POLICY)
    assert await answers.find(keys(no_cache=True), POLICY) is None


async def test_an_answer_that_is_too_large_is_not_kept(answers):
    small = replace(POLICY, cache_max_bytes=1 << 16)
    await answers.put(keys(), replace(ENTRY, body=b"x" * 20_000), small)
    assert await answers.find(keys(), POLICY) is None


async def test_a_request_is_forgotten_with_all_names_of_its_answer(answers):
    await answers.put(keys(), ENTRY, POLICY)
    await answers.forget("team-b", "req-1", POLICY)
    assert await answers.find(keys(), POLICY)
    await answers.forget("team-a", "req-1", POLICY)
    assert await answers.find(keys(), POLICY) is None
    assert await answers.find(keys("What's France's capital?"), POLICY) is None


async def test_d14_an_answer_of_another_version_is_a_miss_and_counted(state):
    seal = Seal("secret")
    answers = SharedAnswers(state, seal, Random(1))
    names = answers.names(keys())
    entry = {**entry_to_json(ENTRY), "a_field_of_tomorrow": 1}
    await state.put(names, seal.close(names, {"entry": entry}), 60.0)

    assert await answers.find(keys(), POLICY) is None
    assert seal.broken == 1
