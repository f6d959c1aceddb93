"""S20: nothing of one scope reaches another, by whatever way it is asked."""

import asyncio
from dataclasses import replace
from itertools import product
from pathlib import Path
from random import Random

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.cache import AnswerCache, CacheKeys, Entry, Hit, fingerprint
from gateway.ledger.books import Caller
from gateway.shared.answers import SharedAnswers
from gateway.shared.seal import Seal
from routing.catalog import Catalog, Policy, Tier
from routing.chat import ChatRequest, Usage
from tests.faultllm import FaultLLM
from tests.harness import Gateway, one_backend
from tests.memory_state import MemoryState
from tests.workers import workers

KEYS = {
    "sk-a": Caller("team:a", "a"),
    "sk-b": Caller("team:b", "b"),
}
EGG = "How long should I boil an egg for a soft yolk?"
COOKED = "How long should I cook an egg for a soft yolk?"
QUESTION = "What is the capital of France?"
WORDINGS = (QUESTION, "What's France's capital city?")


PATHS = {
    "openai": "chat/completions",
    "anthropic": "messages",
    "responses": "responses",
    "text": "completions",
    "modern": "chat/completions",  # OpenAI's, with its later name of the limit
}
DIALECTS = ("openai", "anthropic", "responses", "text")
# By level: what is stored, what is asked then, and what the policy needs for it.
BREAD = "How do I bake sourdough bread {} with rye flour, olive oil and sea salt?"
LEVELS = {
    "exact": ("Who lives in house {}?", "Who lives in house {}?", {}),
    "canonical": (
        "What is the capital of {}?",
        "What's {}'s capital city?",
        {},
    ),
    "alias": (
        "How long should I boil egg {}?",
        "How long should I cook egg {}?",
        {"cache_learn_aliases": True},
    ),
    "jaccard": (
        BREAD,
        BREAD.replace("sea", "fine sea"),
        {"cache_matching": "jaccard"},
    ),
}


def body_of(text: str, dialect: str, stream: bool) -> dict:
    messages = [{"role": "user", "content": text}]
    asked = {
        "openai": {"max_tokens": 50, "messages": messages},
        "anthropic": {"max_tokens": 50, "messages": messages},
        "responses": {"max_output_tokens": 50, "input": text},
        "text": {"max_tokens": 50, "prompt": text},
        "modern": {"max_completion_tokens": 50, "messages": messages},
    }
    return {"model": "small", "stream": stream, **asked[dialect]}


async def reused(
    gateway: Gateway, key: str, text: str, dialect: str, stream: bool
) -> tuple[str, str]:
    """Whether a question was answered from the cache in this scope, and how."""
    headers = {"authorization": f"Bearer {key}", "anthropic-version": "2023-06-01"}
    async with httpx.AsyncClient(timeout=30, verify=False) as client:
        url = f"{gateway.url}/v1/{PATHS[dialect]}"
        body = body_of(text, dialect, stream)
        response = await client.post(url, json=body, headers=headers)
    assert response.status_code == 200, response.text
    told = response.headers
    return told["x-llm-router-cache"], told.get("x-llm-router-cache-level", "")


async def kind(
    gateway: Gateway, key: str, text: str, dialect: str, stream: bool
) -> str:
    return (await reused(gateway, key, text, dialect, stream))[0]


@pytest.mark.parametrize("level", LEVELS)
async def test_every_way_to_an_answer_ends_at_the_border_of_its_scope(
    upstream: FaultLLM, tmp_path: Path, level: str
):
    memory = MemoryState()
    stored, asked, policy = LEVELS[level]
    # Sets of words are compared with those of the same worker only.
    places = (0,) if level == "jaccard" else (0, 1)
    ways = list(product(places, DIALECTS, (False, True)))
    catalog = one_backend(upstream.url, **policy)
    async with workers(catalog, tmp_path, lambda: memory, keys=KEYS) as gateways:
        own, others = [], []
        # Each with a question of its own, so that b never meets an answer of b's.
        for number, (worker, dialect, stream) in enumerate(ways):
            name = f"Zq{chr(ord('a') + number)}"
            one, other = stored.format(name), asked.format(name)
            bought = "modern" if dialect == "responses" else "openai"
            learn(gateways, catalog, (one, other), bought, KEYS["sk-a"].scope)
            assert await kind(gateways[0], "sk-a", one, bought, False) == "MISS"
            way = other, dialect, stream
            others.append(await reused(gateways[worker], "sk-b", *way))
            own.append(await reused(gateways[worker], "sk-a", *way))

    assert set(own) == {("HIT", level)}
    assert set(others) == {("MISS", "")}
    assert len(upstream.attempts) == 2 * len(ways)


def learn(
    gateways: list[Gateway],
    catalog: Catalog,
    wordings: tuple[str, str],
    dialect: str,
    scope: str,
) -> None:
    """Where the policy learns, both mean the same in this scope from now on."""
    for gateway in gateways:
        mark = gateway.runtime.snapshot.fingerprint_for(scope)
        canonical = []
        for text in wordings:
            body = body_of(text, dialect, False)
            chat = ChatRequest(body, scope, "r", model="small")
            canonical.append(keys_of(chat, catalog, mark).canonical)
        gateway.runtime.cache.know_aliases({canonical[1]: canonical[0]}, ())


async def test_a_call_in_flight_is_not_shared_with_another_scope(
    upstream: FaultLLM, tmp_path: Path
):
    memory = MemoryState()
    catalog = one_backend(upstream.url, "fault/hold")
    async with workers(catalog, tmp_path, lambda: memory, keys=KEYS) as gateways:
        calls = [
            asyncio.create_task(kind(gateway, key, QUESTION, "openai", False))
            for gateway in gateways
            for key in KEYS
        ]
        await upstream.until(lambda: upstream.holding == 2)
        upstream.release()
        kinds = await asyncio.gather(*calls)

    assert sorted(kinds) == ["MISS", "MISS", "SHARED", "SHARED"]
    assert len(upstream.attempts) == 2


def keys_of(
    chat: ChatRequest, catalog: Catalog, mark: bytes | None = None
) -> CacheKeys:
    cache = AnswerCache(catalog.policy, Random(1))
    return cache.find(chat, catalog, mark or fingerprint(catalog), 0.0)[0]


@settings(max_examples=150, deadline=None)
@given(
    owner=st.text(max_size=6),
    asker=st.text(max_size=6),
    matching=st.sampled_from(["exact", "canonical", "jaccard"]),
    wording=st.sampled_from([*WORDINGS, "2+2", "Hola, ¿qué tal?"]),
    dialects=st.tuples(*[st.sampled_from(DIALECTS)] * 2),
    streams=st.tuples(st.booleans(), st.booleans()),
)
def test_no_key_and_no_name_is_the_same_in_two_scopes(
    owner, asker, matching, wording, dialects, streams
):
    catalog = Catalog((Tier(1, "one"),), policy=Policy(cache_matching=matching))
    body = {"messages": [{"role": "user", "content": wording}]}
    chat = ChatRequest(body, owner, "r", dialect=dialects[0], stream=streams[0])
    other = replace(chat, scope=asker, dialect=dialects[1], stream=streams[1])
    one, two = keys_of(chat, catalog), keys_of(other, catalog)
    seal, same = Seal("secret"), owner == asker

    assert (one.exact == two.exact) == same
    assert not same or one.canonical == two.canonical
    if one.canonical and not same:
        assert one.canonical != two.canonical
    assert not same or one.rest == two.rest
    if one.rest and not same:  # what word sets and neighbours are compared within
        assert one.rest != two.rest
    if not same:
        assert seal.name("call", one.sharing) != seal.name("call", two.sharing)
    assert asyncio.run(travels(one, two, seal, catalog.policy)) == same


@settings(max_examples=60, deadline=None)
@given(
    owner=st.text(max_size=6),
    asker=st.text(max_size=6),
    matching=st.sampled_from(["canonical", "jaccard"]),
    stream=st.booleans(),
)
def test_an_alias_learned_in_one_scope_leads_nowhere_in_another(
    owner, asker, matching, stream
):
    policy = Policy(cache_matching=matching, cache_learn_aliases=True)
    catalog = Catalog((Tier(1, "one"),), policy=policy)
    cache, mark = AnswerCache(policy, Random(1)), fingerprint(catalog)

    def find(text: str, scope: str) -> tuple[CacheKeys, Hit | None]:
        body = {"messages": [{"role": "user", "content": text}]}
        chat = ChatRequest(body, scope, "r", stream=stream)
        return cache.find(chat, catalog, mark, 0.0)

    egg, cooked = (find(text, owner)[0].canonical for text in (EGG, COOKED))
    cache.know_aliases({cooked: egg}, ())
    entry = Entry(b"{}", Usage(), "b", "m", 1, 5, 70, "req-1")
    cache.store(find(EGG, owner)[0], entry, 0.0)

    assert find(COOKED, owner)[1].level == "alias"
    theirs, hit = find(COOKED, asker)
    assert (theirs.alias is not None, hit is not None) == (owner == asker,) * 2
    assert cache.propose(find(COOKED, asker)[0], 0.0) is None


async def travels(one: CacheKeys, two: CacheKeys, seal: Seal, policy: Policy) -> bool:
    """Is what is stored for `one` found by `two` in shared state?"""
    answers = SharedAnswers(MemoryState(), seal, Random(1))
    entry = Entry(b"{}", Usage(), "b", "m", 1, 5, 70, "req-1")
    await answers.put(one, entry, policy)
    return await answers.find(two, policy) is not None
