"""What follows a hit: audits of other wordings, and stale answers bought anew."""

import asyncio
from datetime import date, timedelta
from pathlib import Path

from django.utils import timezone

from gateway import proofs
from gateway.models import CacheLevelOff, CacheProof
from gateway.runtime.database import in_database
from routing.catalog import Policy
from tests.faultllm import FaultLLM
from tests.gateway.audits import with_judge
from tests.harness import ask, one_backend, serving

QUESTION = "What is the capital of France?"
OTHER_WORDING = "What's France's capital city?"


async def proof_rows() -> list[tuple]:
    names = ("scope", "level", "right", "wrong", "unjudged")
    return await in_database(lambda: list(CacheProof.objects.values_list(*names)))


def today() -> date:
    return timezone.now().date()


async def test_a_hit_by_another_wording_is_answered_afresh_and_compared(
    upstream: FaultLLM, tmp_path: Path, transactional_db
):
    catalog = one_backend(upstream.url, "fault/words-3", cache_audit_share=1.0)
    async with serving(catalog, tmp_path) as gateway:
        await ask(gateway, QUESTION)
        exact = await ask(gateway, QUESTION)
        reply = await ask(gateway, OTHER_WORDING, stream=True)
        await gateway.settled()
        rows = {row["endpoint"]: row for row in gateway.records("request")}

    assert exact.headers["x-llm-router-cache-level"] == "exact"
    assert reply.headers["x-llm-router-cache-level"] == "canonical"
    assert await proof_rows() == [("local", "canonical", 1, 0, 0)]
    audit = rows["cache.audit"]
    assert audit["tags"][0] == "cache-audit"
    assert (audit["cost_nano"] > 0, audit["attempts"], audit["stream"]) == (
        True,
        1,
        False,
    )
    assert len(upstream.attempts) == 2
    proof = await in_database(CacheProof.objects.get)
    assert proof.spent_nano(today()) == audit["cost_nano"]


async def test_every_hundredth_is_audited_and_none_without_a_budget(
    upstream: FaultLLM, tmp_path: Path, transactional_db
):
    async with serving(
        one_backend(upstream.url, cache_audit_share=0.5), tmp_path / "half"
    ) as half:
        await ask(half, QUESTION)
        for city in ("city", "city, please", "city?", "city please"):
            await ask(half, f"What's France's capital {city}")
            await half.settled()
        audits = [r for r in half.records("request") if r["endpoint"] == "cache.audit"]
        hits = [r for r in half.records("request") if r["cache_level"] == "canonical"]
    assert len(audits) == len(hits) // 2

    before = len(upstream.attempts)
    poor = one_backend(upstream.url, cache_audit_share=1.0, cache_audit_budget_usd=0)
    async with serving(poor, tmp_path / "poor") as gateway:
        await ask(gateway, QUESTION)
        await ask(gateway, OTHER_WORDING)
        await gateway.settled()
    assert len(upstream.attempts) == before + 1


async def test_texts_that_differ_are_unjudged_without_a_judge(
    upstream: FaultLLM, tmp_path: Path, transactional_db
):
    catalog = one_backend(upstream.url, cache_audit_share=1.0)
    upstream.script = ["words-3", "words-4"]
    async with serving(catalog, tmp_path) as gateway:
        await ask(gateway, QUESTION)
        await ask(gateway, OTHER_WORDING)
        await gateway.settled()

    assert await proof_rows() == [("local", "canonical", 0, 0, 1)]


async def test_the_judge_is_asked_when_texts_differ_and_only_yes_and_no_count(
    upstream: FaultLLM, tmp_path: Path, transactional_db
):
    catalog = with_judge(upstream.url, "small", cache_audit_share=1.0)
    upstream.script = ["words-3", "words-4", "words-1"]
    async with serving(catalog, tmp_path) as gateway:
        await ask(gateway, QUESTION)
        await ask(gateway, OTHER_WORDING)
        await gateway.settled()
        rows = {row["endpoint"]: row for row in gateway.records("request")}

    assert rows["cache.judge"]["backend"] == "judge"
    assert rows["cache.judge"]["cost_nano"] > 0
    assert await proof_rows() == [("local", "canonical", 0, 0, 1)]


async def test_a_level_that_is_off_answers_nothing_and_says_so(
    upstream: FaultLLM, tmp_path: Path
):
    async with serving(one_backend(upstream.url), tmp_path) as gateway:
        await ask(gateway, QUESTION)
        gateway.change_snapshot(levels_off={("local", "canonical"): "Too often wrong."})
        other = await ask(gateway, OTHER_WORDING)
        exact = await ask(gateway, QUESTION)
        texts = [d["text"] for d in gateway.records("request")[1]["decisions"]]

    assert other.headers["x-llm-router-cache"] == "MISS"
    assert exact.headers["x-llm-router-cache"] == "HIT"
    assert "The canonical level is off here. Too often wrong." in texts


def test_wrong_hits_switch_a_level_off_and_a_reset_brings_it_back(db):
    policy = Policy()
    assert proofs.note("team:a", "canonical", "wrong", 5, policy) == ""
    reason = proofs.note("team:a", "canonical", "wrong", 5, policy)
    assert reason.startswith("2 of 2 audited hits were wrong")
    assert proofs.note("team:a", "canonical", "wrong", 5, policy) == ""  # told already
    proofs.note("team:b", "canonical", "right", 5, policy)

    assert [str(row) for row in CacheLevelOff.objects.all()] == ["team:a canonical"]
    assert proofs.by_scope()["team:a"]["canonical"]["false_hits"] == 3
    assert proofs.by_scope()["team:b"]["canonical"]["off"] == ""
    proofs.reset("team:a", "canonical")
    assert not CacheLevelOff.objects.exists()
    assert proofs.by_scope()["team:a"]["canonical"]["audited"] == 0
    spent = [row.spent_nano(today()) for row in CacheProof.objects.all()]
    assert sorted(spent) == [5, 15]
    assert (
        CacheProof(day=today() - timedelta(1), day_spent_nano=5).spent_nano(today())
        == 0
    )


async def test_d9_a_stale_answer_is_given_while_one_request_buys_it_anew(
    upstream: FaultLLM, tmp_path: Path
):
    now = [0.0]
    catalog = one_backend(
        upstream.url, cache_ttl_seconds=100.0, cache_stale_seconds=60.0
    )
    async with serving(catalog, tmp_path, clock=lambda: now[0]) as gateway:
        old = await ask(gateway, QUESTION)
        upstream.always = "hold"
        now[0] = 115.0
        crowd = await asyncio.gather(*(ask(gateway, QUESTION) for _ in range(20)))
        await upstream.until(lambda: upstream.holding == 1)
        upstream.release()
        await gateway.settled()
        fresh = await ask(gateway, QUESTION)
        now[0] = 400.0
        upstream.always = "ok"
        gone = await ask(gateway, QUESTION)

    assert {reply.text for reply in crowd} == {old.text}
    assert {reply.headers["x-llm-router-cache"] for reply in crowd} == {"HIT"}
    assert fresh.headers["x-llm-router-cache"] == "HIT"
    assert fresh.text != old.text
    assert gone.headers["x-llm-router-cache"] == "MISS"
    assert len(upstream.attempts) == 3


async def test_d9_without_it_a_crowd_at_the_end_of_a_lifetime_makes_one_call(
    upstream: FaultLLM, tmp_path: Path
):
    now = [0.0]
    catalog = one_backend(upstream.url, cache_ttl_seconds=100.0)
    async with serving(catalog, tmp_path, clock=lambda: now[0]) as gateway:
        await ask(gateway, QUESTION)
        now[0] = 115.0
        upstream.always = "hold"
        crowd = [asyncio.create_task(ask(gateway, QUESTION)) for _ in range(30)]
        await gateway.called(30)
        await upstream.until(lambda: upstream.holding == 1)
        upstream.release()
        replies = await asyncio.gather(*crowd)

    assert {reply.status for reply in replies} == {200}
    assert len(upstream.attempts) == 2
