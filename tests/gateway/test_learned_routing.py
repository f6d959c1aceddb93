"""Trained routers in the running gateway."""

from dataclasses import replace

import pytest

from routing.learned.brain import Brain
from routing.learned.features import prompt_of, row_of
from tests.gateway.learned_router import by_hand, step, told_by_hand, trained
from tests.harness import PRICES, ask, serving, three_tiers
from tests.routing.learned.small import EASY, HARD


async def test_a_trained_router_decides_and_shows_every_number(upstream, tmp_path):
    async with serving(trained(upstream.url), tmp_path) as gateway:
        easy = await ask(gateway, EASY)
        hard = await ask(gateway, HARD)
        records = gateway.records("request")

    assert easy.headers["x-llm-router-tier"] == "1"
    assert hard.headers["x-llm-router-tier"] == "3"
    assert hard.headers["x-llm-router-score"] == "20"  # still the heuristic's
    for record in records:
        shown = step(record, "router")
        rate = shown["quality_per_nano_usd"]
        for tier in shown["tiers"]:
            utility = tier["quality"] - rate * tier["cost_nano_usd"]
            assert tier["utility"] == pytest.approx(utility, abs=1e-3)
        best = max(shown["tiers"], key=lambda tier: tier["utility"])
        assert best["tier"] == record["tier"] == shown["best"]
        text = HARD if record["tier"] == 3 else EASY
        row = row_of(prompt_of({"messages": [{"role": "user", "content": text}]}))
        expected = list(by_hand(row))
        assert shown["gain"] == pytest.approx(expected[-1] - expected[0], abs=1e-5)
        assert shown["intents"] == told_by_hand(row)
        tokens = -(-len(text) // 4)
        for tier, quality in zip(shown["tiers"], expected, strict=True):
            price = PRICES[tier["tier"]]
            cost = (tokens * price.input + 500 * price.output) / 1e6
            assert tier["cost_nano_usd"] == round(cost)
            assert tier["quality"] == pytest.approx(min(max(quality, 0), 1), abs=1e-5)
        assert shown["router"] == 4
        assert "is worth most" in shown["text"]
        assert record["lesson"] is None


@pytest.mark.parametrize(
    ("body", "headers", "tier"),
    [
        ({"model": "tier-1"}, {}, "1"),
        ({"model": "small"}, {}, "1"),
        ({}, {"x-llm-router-max-tier": "2"}, "2"),
    ],
)
async def test_pins_and_ceilings_stand_above_it(
    upstream, tmp_path, body, headers, tier
):
    async with serving(trained(upstream.url), tmp_path) as gateway:
        reply = await ask(gateway, HARD, headers=headers, **body)

    assert reply.headers["x-llm-router-tier"] == tier


async def test_tools_need_tier_2_whatever_it_thinks(upstream, tmp_path):
    tool = {"type": "function", "function": {"name": "f"}}
    async with serving(trained(upstream.url), tmp_path) as gateway:
        reply = await ask(gateway, EASY, tools=[tool])

    assert reply.headers["x-llm-router-tier"] == "2"


async def test_a_watched_router_is_logged_and_does_not_decide(upstream, tmp_path):
    async with serving(trained(upstream.url, shadow=True), tmp_path) as gateway:
        reply = await ask(gateway, HARD)
        [record] = gateway.records("request")

    assert reply.headers["x-llm-router-tier"] == "1"
    assert step(record, "shadow")["tier"] == 3
    assert "which is watched, would choose tier 3" in step(record, "shadow")["text"]


async def test_while_learning_each_request_leaves_a_lesson_and_no_text(
    upstream, tmp_path
):
    catalog = trained(upstream.url, learning=True, learned_soft_share=0.5)
    async with serving(catalog, tmp_path) as gateway:
        for number in range(30):
            await ask(gateway, f"{HARD} {number}")
        records = gateway.records("request")
        written = b"".join(path.read_bytes() for path in tmp_path.glob("*.journal"))

    lessons = [record["lesson"] for record in records]
    assert [x["tier"] for x in lessons] == [r["tier"] for r in records]
    assert all(0.05 <= lesson["chance"] < 1 for lesson in lessons)
    assert len({lesson["tier"] for lesson in lessons}) > 1
    assert {lesson["router"] for lesson in lessons} == {4}
    assert all(0.2 < lesson["gain"] < 1 for lesson in lessons)
    assert b"integral" not in written


async def test_before_a_router_decides_tiers_are_drawn_with_known_chances(
    upstream, tmp_path
):
    catalog = three_tiers(upstream.url, cache_enabled=False)
    brain = Brain(learning=True, exploration=0.6)
    async with serving(replace(catalog, brain=brain), tmp_path) as gateway:
        for number in range(40):
            await ask(gateway, f"Hello {number}")
        records = gateway.records("request")

    lessons = [record["lesson"] for record in records]
    chances = {1: 0.6, 2: 0.2, 3: 0.2}
    assert all(x["chance"] == pytest.approx(chances[x["tier"]]) for x in lessons)
    assert {x["tier"] for x in lessons} == {1, 2, 3}


async def test_an_answer_of_another_tier_than_the_chosen_teaches_nothing(
    upstream, tmp_path
):
    catalog = trained(upstream.url, learning=True)
    cheap, middle, dear = catalog.backends
    cheap = replace(cheap, model="fault/status-500")
    catalog = replace(catalog, backends=(cheap, middle, dear))
    async with serving(catalog, tmp_path) as gateway:
        for number in range(12):
            await ask(gateway, f"{EASY} {number}")
        records = gateway.records("request")

    moved = [r for r in records if r["attempts"] > 1]
    assert moved
    assert all(record["lesson"] is None for record in moved)
