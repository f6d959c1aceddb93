"""S20: nothing of one scope reaches another, by whatever way it is asked."""

import asyncio
from dataclasses import replace
from itertools import product
from pathlib import Path
from random import Random

import httpx
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


async def kind(
    gateway: Gateway, key: str, text: str, dialect: str, stream: bool
) -> str:
    """How a question was answered in this scope."""
    path = "chat/completions" if dialect == "openai" else "messages"
    body = {
        "model": "small",
        "max_tokens": 50,
        "messages": [{"role": "user", "content": text}],
        "stream": stream,
    }
    headers = {"authorization": f"Bearer {key}", "anthropic-version": "2023-06-01"}
    async with httpx.AsyncClient(timeout=30) as client:
        url = f"{gateway.url}/v1/{path}"
        response = await client.post(url, json=body, headers=headers)
    assert response.status_code == 200, response.text
    return response.headers["x-llm-router-cache"]


async def test_every_way_to_an_answer_ends_at_the_border_of_its_scope(
    upstream: FaultLLM, tmp_path: Path
):
    memory = MemoryState()
    ways = list(product((0, 1), WORDINGS, ("openai", "anthropic"), (False, True)))
    catalog = one_backend(upstream.url)
    async with workers(catalog, tmp_path, lambda: memory, keys=KEYS) as gateways:
        first = await kind(gateways[0], "sk-a", QUESTION, "openai", False)
        own = [await kind(gateways[w], "sk-a", *way) for w, *way in ways]
        # Each with a question of its own, so that b never meets an answer of b's.
        others = []
        for number, (worker, text, dialect, stream) in enumerate(ways):
            about = text.replace("France", f"Land {number}")
            await kind(gateways[0], "sk-a", about, "openai", False)
            others.append(await kind(gateways[worker], "sk-b", about, dialect, stream))

    assert first == "MISS"
    assert set(own) == {"HIT"}
    assert set(others) == {"MISS"}
    assert len(upstream.attempts) == 1 + 2 * len(ways)


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


def keys_of(chat: ChatRequest, catalog: Catalog) -> CacheKeys:
    cache = AnswerCache(catalog.policy, Random(1))
    return cache.find(chat, catalog, fingerprint(catalog), 0.0)[0]


@settings(max_examples=150, deadline=None)
@given(
    owner=st.text(max_size=6),
    asker=st.text(max_size=6),
    matching=st.sampled_from(["exact", "canonical", "jaccard"]),
    wording=st.sampled_from([*WORDINGS, "2+2", "Hola, ¿qué tal?"]),
    dialects=st.tuples(*[st.sampled_from(["openai", "anthropic"])] * 2),
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
    entry = Entry(b"{}", Usage(), "b", "m", 1, 5, 70, "req-1", 0.0)
    cache.store(find(EGG, owner)[0], entry, 0.0)

    assert find(COOKED, owner)[1].level == "alias"
    theirs, hit = find(COOKED, asker)
    assert (theirs.alias is not None, hit is not None) == (owner == asker,) * 2
    assert cache.propose(find(COOKED, asker)[0], 0.0) is None


async def travels(one: CacheKeys, two: CacheKeys, seal: Seal, policy: Policy) -> bool:
    """Is what is stored for `one` found by `two` in shared state?"""
    answers = SharedAnswers(MemoryState(), seal, lambda: 0.0, Random(1))
    entry = Entry(b"{}", Usage(), "b", "m", 1, 5, 70, "req-1", 0.0)
    await answers.put(one, entry, policy)
    return await answers.find(two, policy) is not None
