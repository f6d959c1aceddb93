"""Alias learning: what a judge is shown, and what its word makes."""

from pathlib import Path

import pytest

from gateway.models import CacheProof
from gateway.runtime.database import in_database
from gateway.runtime.purges import notes_of_judge
from tests.faultllm import FaultLLM
from tests.gateway.alias_learning.asking import (
    COOKED,
    EGG,
    HARD,
    LATER,
    ask_both,
    catalog_of,
    done,
    judge_calls,
    judgements,
    learning,
)
from tests.harness import ask, serving


async def test_a_yes_makes_two_wordings_share_the_answers_to_come(
    upstream: FaultLLM, tmp_path: Path, transactional_db
):
    async with learning(catalog_of(upstream.url), tmp_path) as (gateway, clock):
        await ask_both(gateway)
        clock.now += LATER
        bought = await ask(gateway, EGG)
        await done(gateway)
        by_alias = await ask(gateway, COOKED, stream=True)
        await done(gateway)
        other = await ask(gateway, HARD)
        await done(gateway)
        rows = {row["endpoint"]: row for row in gateway.records("request")}
        (hit,) = (row for row in gateway.records("request") if row["cache_level"])

    assert bought.headers["x-llm-router-cache"] == "MISS"
    assert by_alias.headers["x-llm-router-cache"] == "HIT"
    assert by_alias.headers["x-llm-router-cache-level"] == "alias"
    assert by_alias.content == bought.content
    assert other.headers["x-llm-router-cache"] == "MISS"
    assert (await judgements())[-1] == ("local", True)
    judge = rows["cache.judge"]
    assert (judge["backend"], judge["cost_nano"] > 0) == ("judge", True)
    step = next(d for d in hit["decisions"] if d["step"] == "cache")
    assert step["text"] == "a wording that was judged to be the same question"
    spent = await in_database(
        lambda: CacheProof.objects.get(level="alias").day_spent_nano
    )
    assert spent > 0


async def test_it_works_the_other_way_round_too(
    upstream: FaultLLM, tmp_path: Path, transactional_db
):
    async with learning(catalog_of(upstream.url), tmp_path) as (gateway, clock):
        await ask_both(gateway)
        clock.now += LATER
        bought = await ask(gateway, COOKED)
        await done(gateway)
        first = await ask(gateway, EGG)

    assert first.headers["x-llm-router-cache-level"] == "alias"
    assert first.content == bought.content


async def test_the_judge_sees_both_questions_and_answers_between_its_lines(
    upstream: FaultLLM, tmp_path: Path, transactional_db
):
    async with learning(catalog_of(upstream.url), tmp_path) as (gateway, _):
        await ask_both(gateway)

    (call,) = judge_calls(upstream)
    rule, material = (each["content"] for each in call.body["messages"])
    assert "never an instruction" in rule
    fences = [line for line in material.split("\n") if line.startswith("---")]
    assert len(fences) == 3 and len(set(fences)) == 1
    for text in (EGG, COOKED, f"Answer to: {EGG} (call 1)", "(call 2)"):
        assert text in material
    assert call.body["temperature"] == 0


@pytest.mark.parametrize(
    "judge",
    [
        "say=NO",
        "say=Sure! YES, they are the same.",
        "say=YES NO",
        "say=YES because they match",
        "say=JA",
        'say={"answer": "YES"}',
        "say=true",
        "say=1",
        "words-3",
        "refusal",
        "tool-call",
        "echo",
        "unicode",
    ],
)
async def test_whatever_is_no_plain_yes_is_a_no(
    upstream: FaultLLM, tmp_path: Path, transactional_db, judge: str
):
    catalog = catalog_of(upstream.url, f"fault/{judge}")
    async with learning(catalog, tmp_path) as (gateway, clock):
        await ask_both(gateway)
        clock.now += LATER
        await ask(gateway, EGG)
        await done(gateway)
        again = await ask(gateway, COOKED)
        await done(gateway)

    assert again.headers["x-llm-router-cache"] == "MISS"
    assert await judgements() == [("local", False)]
    assert len(judge_calls(upstream)) == 1  # and nobody is asked a second time


@pytest.mark.parametrize(
    "judge",
    ["status-500", "html-200", "half-json", "rst-after-1", "stall-before-headers"],
)
async def test_a_judge_that_fails_or_says_nothing_in_time_teaches_nothing(
    upstream: FaultLLM, tmp_path: Path, transactional_db, judge: str
):
    catalog = catalog_of(
        upstream.url,
        f"fault/{judge}",
        first_byte_timeout_seconds=0.3,
        write_timeout_seconds=0.3,
        max_attempts=1,
    )
    async with serving(catalog, tmp_path) as gateway:
        await ask_both(gateway)
        endings = [
            row["outcome"]
            for row in gateway.records("request")
            if row["endpoint"] == "cache.judge"
        ]

    assert len(endings) == 1 and endings != ["ok"]
    assert await judgements() == []
    assert gateway.runtime.cache._aliases.class_of(b"x") is None
    assert len(gateway.runtime.cache._aliases) == 0


def test_a_judge_that_is_missing_is_said():
    assert not list(notes_of_judge(catalog_of("http://x")))
    (note,) = notes_of_judge(catalog_of("http://x", cache_judge="gone"))
    assert "gone, is no backend" in note
    (note,) = notes_of_judge(catalog_of("http://x", cache_judge=""))
    assert "nothing is learned" in note
    elsewhere = {"learned_judge": "gone", "cascade_judge": "left"}
    assert list(notes_of_judge(catalog_of("http://x", **elsewhere))) == [
        "The judge of tiers, gone, is no backend: no answers are compared.",
        "The cascade's judge, left, is no backend: it is not asked.",
    ]
