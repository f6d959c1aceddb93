"""Alias learning: whom an alias serves, and what undoes it."""

from pathlib import Path

from gateway import aliases
from gateway.ledger.books import Caller
from gateway.models import LearnedAlias
from gateway.runtime.database import in_database
from tests.faultllm import FaultLLM
from tests.gateway.alias_learning.asking import (
    COOKED,
    EGG,
    LATER,
    ask_both,
    catalog_of,
    done,
    judge_calls,
    judgements,
    learning,
)
from tests.harness import Clock, ask
from tests.memory_state import MemoryState
from tests.workers import workers


async def test_switched_off_what_was_learned_serves_nobody(
    upstream: FaultLLM, tmp_path: Path, transactional_db
):
    async with learning(catalog_of(upstream.url), tmp_path) as (gateway, clock):
        await ask_both(gateway)
        gateway.serve_catalog(catalog_of(upstream.url, cache_learn_aliases=False))
        clock.now += LATER
        await ask(gateway, EGG)
        reply = await ask(gateway, COOKED)

    assert reply.headers["x-llm-router-cache"] == "MISS"


KEYS = {
    "sk-a": Caller(scope="team:a", key_name="a"),
    "sk-b": Caller(scope="team:b", key_name="b"),
}


async def test_nothing_is_proposed_or_learned_across_scopes_or_instructions(
    upstream: FaultLLM, tmp_path: Path, transactional_db
):
    a, b = ({"authorization": f"Bearer {key}"} for key in KEYS)
    brief = [{"role": "system", "content": "Be brief."}]
    briefly = [*brief, {"role": "user", "content": COOKED}]
    catalog = catalog_of(upstream.url)
    async with learning(catalog, tmp_path, keys=KEYS) as (gateway, clock):
        await ask_both(gateway, EGG, headers=a)
        await ask_both(gateway, COOKED, headers=b)
        await ask_both(gateway, "", messages=briefly, headers=a)
        assert judge_calls(upstream) == []
        await ask_both(gateway, COOKED, headers=a)
        clock.now += LATER
        await ask_both(gateway, EGG, headers=a)
        await ask_both(gateway, EGG, headers=b)
        mine = await ask(gateway, COOKED, headers=a)
        theirs = await ask(gateway, COOKED, headers=b)
        await done(gateway)

    assert mine.headers["x-llm-router-cache-level"] == "alias"
    assert theirs.headers["x-llm-router-cache"] == "MISS"
    assert {scope for scope, _ in await judgements()} == {"team:a", "team:b"}


async def test_what_is_learned_serves_other_workers_through_shared_state(
    upstream: FaultLLM, tmp_path: Path, transactional_db
):
    clock = Clock()
    memory = MemoryState(clock)
    catalog = catalog_of(upstream.url)
    async with workers(catalog, tmp_path, lambda: memory, clock=clock) as (one, two):
        await ask_both(one)
        known = await in_database(aliases.read)
        two.runtime.cache.know_aliases(known.roots, known.refused)
        clock.now += LATER
        bought = await ask(one, EGG)
        hits = [await ask(two, COOKED) for _ in range(2)]

    assert bought.headers["x-llm-router-cache"] == "MISS"
    for hit in hits:
        assert hit.headers["x-llm-router-cache-level"] == "alias"
        assert hit.content == bought.content


async def test_an_audit_that_finds_it_wrong_undoes_it_for_good(
    upstream: FaultLLM, tmp_path: Path, transactional_db
):
    catalog = catalog_of(upstream.url, cache_audit_share=1.0)
    async with learning(catalog, tmp_path) as (gateway, clock):
        await ask_both(gateway)
        clock.now += LATER
        await ask_both(gateway, EGG)
        # One more backend would be another catalog: the judge changes its mind.
        upstream.script = ["words-4", "say=NO"]
        hit = await ask(gateway, COOKED)
        await done(gateway)
        after = await ask(gateway, COOKED)
        await done(gateway)

    assert hit.headers["x-llm-router-cache-level"] == "alias"
    assert after.headers["x-llm-router-cache"] == "MISS"
    assert await judgements() == [("local", False)]


async def test_bad_feedback_undoes_it_and_the_level_can_be_off(
    upstream: FaultLLM, tmp_path: Path, transactional_db
):
    async with learning(catalog_of(upstream.url), tmp_path) as (gateway, clock):
        await ask_both(gateway)
        clock.now += LATER
        await ask_both(gateway, EGG)
        gateway.change_snapshot(levels_off={("local", "alias"): "Too often wrong."})
        off = await ask(gateway, COOKED)
        await done(gateway)
    assert off.headers["x-llm-router-cache"] == "MISS"

    (row,) = await in_database(lambda: list(LearnedAlias.objects.all()))
    known = await in_database(aliases.refuse, "local", row.wording, "feedback")
    assert known.roots == {}
    assert known.refused == {(bytes.fromhex(row.wording), bytes.fromhex(row.root))}
    assert (await in_database(aliases.refuse, "local", row.wording, "x")) == known
