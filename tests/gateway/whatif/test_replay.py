"""What was decided once is decided again from the facts alone."""

from dataclasses import replace
from random import Random

import pytest

from gateway.ledger.books import Caller
from gateway.whatif.replay import Replay
from routing.catalog import Catalog, Tier
from routing.learned.brain import Brain
from routing.learned.router import Router
from routing.learned.targets import Target
from tests.faultllm import FaultLLM
from tests.gateway.whatif.replaying import (
    asked_variously,
    bought,
    check,
    decided,
    down,
    plain,
    shown,
)
from tests.harness import PRICES, TIERS, ask, backend, serving, three_tiers
from tests.routing.learned.samples import prompt, small_router

CALL = {"id": "1", "type": "function", "function": {"name": "add", "arguments": "{}"}}


async def test_every_decision_by_the_heuristic_comes_out_the_same(upstream, tmp_path):
    catalog = plain(upstream.url)
    async with asked_variously(catalog, tmp_path) as gateway:
        records = check(gateway, catalog)

    assert len(records) > 40
    assert {r["backend"] for r in records} >= {"narrow", "small", "medium", "large"}


@pytest.mark.parametrize(
    "rules",
    [
        {"client_model": "pin"},
        {"client_model": "route"},
        {"cold_start": "baseline", "baseline_tier": 2},
        {"allow_downgrade": True, "holdout_share": 0.05},
    ],
)
async def test_and_by_other_rules(upstream, tmp_path, rules):
    catalog = plain(upstream.url, **rules)
    async with asked_variously(catalog, tmp_path) as gateway:
        assert len(check(gateway, catalog)) > 40


async def test_who_was_drawn_for_the_holdout_goes_to_the_baseline_again(
    upstream, tmp_path
):
    catalog = plain(upstream.url, holdout_share=0.5)
    async with asked_variously(catalog, tmp_path) as gateway:
        records = check(gateway, catalog)

    held = [r for r in records if r["arm"] == "holdout"]
    assert len(held) > 5
    assert all(r["backend"] == "large" for r in held)
    other = Replay(replace(catalog, policy=replace(catalog.policy, baseline_tier=2)))
    seeing = [r for r in held if "images" not in r["facts"].get("needs", ())]
    assert all(shown(other.decide(decided(r)))[0] == 2 for r in seeing)


@pytest.mark.parametrize("learning", [False, True])
async def test_a_trained_router_decides_the_same_again(upstream, tmp_path, learning):
    catalog = three_tiers(upstream.url, cache_enabled=False, learned_soft_share=0.4)
    model, random = small_router(), Random(3)
    router = Router(4, model, catalog, Target())
    catalog = replace(catalog, brain=Brain(router, learning=learning))
    async with serving(catalog, tmp_path) as gateway:
        for _ in range(60):
            await ask(gateway, prompt(random)[0])
        records = check(gateway, catalog)

    assert any("drawn" in r["facts"] for r in records) == learning
    strict = Router(4, model, catalog, Target("top_share", 0.0))
    spared = Replay(replace(catalog, brain=Brain(strict, learning=learning)))
    free = [r for r in records if "drawn" not in r["facts"]]
    top = [r for r in free if r["tier"] == 3]
    assert len(top) > 3
    spared_top = [r for r in free if shown(spared.decide(decided(r)))[0] == 3]
    assert len(spared_top) < len(top)


async def test_who_was_down_stays_down_and_who_failed_fails(tmp_path):
    async with FaultLLM() as upstream:
        catalog = plain(upstream.url)
        failing = replace(catalog.by_name["narrow"], model="fault/status-500")
        catalog = replace(
            catalog,
            backends=tuple(
                failing if b.name == "narrow" else b for b in catalog.backends
            ),
        )
        async with serving(catalog, tmp_path) as gateway:
            await ask(gateway, "Fails over")
            down(gateway, catalog, "narrow", "small")
            await ask(gateway, "Both are down")
            first, second = check(gateway, catalog)

    assert first["facts"]["failed"] == ["narrow"]
    assert "narrow" in second["facts"]["out"]
    assert second["backend"] == "twin"


async def test_who_was_switched_off_is_kept_for_the_requests_page(upstream, tmp_path):
    catalog = plain(upstream.url)
    changes = {"twin": {"state": "disabled"}, "narrow": {"misconfigured": "No key."}}
    backends = (replace(b, **changes.get(b.name, {})) for b in catalog.backends)
    catalog = replace(catalog, backends=tuple(backends))
    async with serving(catalog, tmp_path) as gateway:
        await ask(gateway, "Who can be asked?")
        (record,) = check(gateway, catalog)

    assert sorted(record["facts"]["off"]) == ["narrow", "twin"]


async def test_a_tool_loop_and_a_warm_cache_hold_again(upstream, tmp_path):
    reads_for_nothing = replace(PRICES[2], cache_read=10**7)
    backends = (
        backend("cheap", 1, upstream.url),
        backend("dear", 2, upstream.url, price=reads_for_nothing),
    )
    tiers = (Tier(1, "a", 50), Tier(2, "b"))
    catalog = Catalog(tiers, backends)
    start = [{"role": "user", "content": "cached=40000 " + "word " * 30_000}]
    said = [{"role": "assistant", "content": "Yes."}, {"role": "user", "content": "?"}]
    called = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    result = {"role": "tool", "tool_call_id": "1", "content": "4"}
    session = {"x-llm-router-session": "s1"}
    pinned = session | {"x-llm-router-pin": "dear"}
    async with serving(catalog, tmp_path) as gateway:
        await ask(gateway, messages=start, headers=pinned, max_tokens=10)
        await ask(gateway, messages=[*start, *said], headers=session, max_tokens=10)
        await ask(gateway, messages=[*start, called, result], headers=session)
        pinned, warm, looping = check(gateway, catalog)

    assert warm["facts"]["visit"][0] == warm["backend"] == "dear"
    assert looping["facts"]["loop"] == 2
    dearer = replace(backends[1], price=replace(PRICES[2], cache_read=10**10))
    other = Replay(replace(catalog, backends=(backends[0], dearer)))
    assert shown(other.decide(decided(warm))) == (1, "cheap")
    assert shown(other.decide(decided(looping))) == (2, "dear")


async def test_who_was_down_is_sent_nothing_that_would_have_come_to_it(
    upstream, tmp_path
):
    catalog = plain(upstream.url)
    async with serving(catalog, tmp_path) as gateway:
        down(gateway, catalog, "medium")
        await ask(gateway, "Easy")
        [record] = check(gateway, catalog)

    lower = replace(catalog, tiers=(replace(TIERS[0], max_score=1), *catalog.tiers[1:]))
    assert record["tier"] == 1
    assert shown(Replay(lower).decide(decided(record))) == (3, "large")


async def test_a_conversation_that_stayed_while_a_cheaper_one_was_down_stays(
    upstream, tmp_path
):
    prices = [replace(PRICES[1], input=number) for number in (10**6, 10**10)]
    backends = (
        backend("cheap", 1, upstream.url, price=prices[0]),
        backend("dearest", 1, upstream.url, price=prices[1]),
        backend("warm", 2, upstream.url, price=replace(PRICES[2], cache_read=10**7)),
    )
    catalog = Catalog((Tier(1, "a", 50), Tier(2, "b")), backends)
    start = [{"role": "user", "content": "cached=40000 " + "word " * 30_000}]
    said = [{"role": "assistant", "content": "Yes."}, {"role": "user", "content": "?"}]
    session = {"x-llm-router-session": "s1"}
    pinned = session | {"x-llm-router-pin": "warm"}
    async with serving(catalog, tmp_path) as gateway:
        await ask(gateway, messages=start, headers=pinned, max_tokens=10)
        down(gateway, catalog, "cheap")
        await ask(gateway, messages=[*start, *said], headers=session, max_tokens=10)
        _, stayed = check(gateway, catalog)

    assert stayed["backend"] == "warm"


async def test_a_key_sees_its_own_models_again(upstream, tmp_path):
    keys = {"sk-a": Caller("key:1", key_id=1, models=("medium", "large"))}
    catalog = plain(upstream.url)
    headers = {"authorization": "Bearer sk-a"}
    async with serving(catalog, tmp_path, keys=keys) as gateway:
        await ask(gateway, "Mine", headers=headers)
        [record] = check(gateway, catalog)

    assert record["backend"] == "medium"


async def test_another_border_sends_exactly_those_beyond_it_elsewhere(
    upstream, tmp_path
):
    catalog = plain(upstream.url)
    async with asked_variously(catalog, tmp_path) as gateway:
        records = bought(gateway)
    lower = replace(catalog, tiers=(replace(TIERS[0], max_score=6), *catalog.tiers[1:]))

    replay, moved = Replay(lower), 0
    for record in records:
        named = record["model_asked"] != "auto" or "pin" in record["facts"]
        if named or "max_tier" in record["facts"]:
            continue
        tools = "tools" in record["facts"]
        tier = 1 if record["score"] <= 6 and not tools else 2
        seen = shown(replay.decide(decided(record)))[0]
        if "images" in record["facts"].get("needs", ()):
            tier = 3  # the second tier can't look at them
        assert seen == tier
        moved += seen != record["tier"]
    assert moved > 5
