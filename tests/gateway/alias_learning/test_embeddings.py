"""Alias learning: an embedding proposes what has no words in common, and no more."""

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.models import CacheProof
from gateway.runtime.database import in_database
from gateway.runtime.purges import notes_of_judge
from routing.catalog import Catalog, PriceList
from tests.faultllm import FaultLLM
from tests.gateway.alias_learning.asking import (
    EGG,
    LATER,
    ask_both,
    catalog_of,
    done,
    judgements,
    learning,
)
from tests.harness import ask, backend

REWORDED = "For soft yolks, which cooking duration suits eggs?"
PRICE = PriceList(20_000_000, 0, 20_000_000, 20_000_000)


def embedding(url: str, *, model: str = "embed", **policy: object) -> Catalog:
    """The simulated provider's embeddings are near to each other, whatever the text."""
    catalog = catalog_of(url, cache_embeddings="vectors", **policy)
    vectors = backend("vectors", 1, url, model=model, price=PRICE)
    return replace(catalog, backends=(*catalog.backends, vectors))


def calls(upstream: FaultLLM, model: str) -> int:
    return sum(each.model == model for each in upstream.attempts)


async def test_wordings_without_common_words_share_answers_once_a_judge_said_yes(
    upstream: FaultLLM, tmp_path: Path, transactional_db
):
    async with learning(embedding(upstream.url), tmp_path) as (gateway, clock):
        await ask_both(gateway, EGG, REWORDED)
        clock.now += LATER
        bought = await ask(gateway, EGG)
        await done(gateway)
        reply = await ask(gateway, REWORDED)
        await done(gateway)
        rows = [
            row
            for row in gateway.records("request")
            if row["endpoint"] == "cache.embeddings"
        ]

    assert bought.headers["x-llm-router-cache"] == "MISS"
    assert reply.headers["x-llm-router-cache-level"] == "alias"
    assert calls(upstream, "embed") == len(rows) == 3
    assert all(row["cost_nano"] > 0 and row["backend"] == "vectors" for row in rows)
    spent = await in_database(
        lambda: CacheProof.objects.get(level="alias").day_spent_nano
    )
    assert spent > sum(row["cost_nano"] for row in rows)


async def test_an_embedding_decides_nothing(
    upstream: FaultLLM, tmp_path: Path, transactional_db
):
    catalog = embedding(upstream.url, judge="fault/say=NO")
    async with learning(catalog, tmp_path) as (gateway, clock):
        await ask_both(gateway, EGG, REWORDED)
        clock.now += LATER
        await ask_both(gateway, EGG)
        reply = await ask(gateway, REWORDED)
        await done(gateway)

    assert reply.headers["x-llm-router-cache"] == "MISS"
    assert await judgements() == [("local", False)]


async def test_guards_refuse_what_an_embedding_proposes(
    upstream: FaultLLM, tmp_path: Path, transactional_db
):
    async with learning(embedding(upstream.url), tmp_path) as (gateway, _):
        await ask_both(gateway, EGG, "Which duration suits 12 of them, cooked?")

    assert calls(upstream, "embed") == 2
    assert calls(upstream, "fault/say=YES") == 0


@pytest.mark.parametrize("model", ["fault/status=500", "fault/html-200"])
async def test_without_an_embedding_words_alone_propose(
    upstream: FaultLLM, tmp_path: Path, transactional_db, model: str
):
    catalog = embedding(upstream.url, model=model)
    async with learning(catalog, tmp_path) as (gateway, _):
        await ask_both(gateway, EGG, REWORDED, EGG.replace("boil", "cook"))

    assert calls(upstream, model) > 0
    assert await judgements() == [("local", True)]


async def test_without_a_budget_nothing_is_embedded(
    upstream: FaultLLM, tmp_path: Path, transactional_db
):
    catalog = embedding(upstream.url, cache_audit_budget_usd=0.0)
    async with learning(catalog, tmp_path) as (gateway, _):
        await ask_both(gateway, EGG, REWORDED)

    assert calls(upstream, "embed") == 0


def test_an_operator_is_told_of_a_backend_that_makes_no_embeddings():
    assert not list(notes_of_judge(embedding("http://x")))
    catalog = catalog_of("http://x", cache_embeddings="gone")
    assert list(notes_of_judge(catalog)) == [
        "gone is no backend that makes embeddings: the cache uses none."
    ]
