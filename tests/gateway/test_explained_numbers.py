"""Each number of a request's story, reckoned once more by an oracle of a few lines.

What a trained router shows is in test_learned_routing, what a sidecar weighs in
tests/faults/test_sidecar, and what a call's cost is made of in test_story.
"""

import re
from dataclasses import replace
from datetime import date
from math import exp

import pytest

from routing.catalog import Policy
from routing.learned.brain import Brain
from routing.learned.guide import Guide
from routing.learned.intents import Intents, Kind
from routing.learned.trails import Count, Trails
from tests.gateway.learned_router import by_hand, step, told_by_hand, trained
from tests.harness import PRICES, TIERS, ask, backend, serving, three_tiers
from tests.routing.learned.small import EASY, HARD

TOOL = {"type": "function", "function": {"name": "add", "parameters": {}}}
SYSTEM = "You are careful. " * 20
TALK = [
    {"role": "system", "content": SYSTEM},
    {"role": "user", "content": "Hello there"},
    {"role": "assistant", "content": "Hello"},
    {
        "role": "user",
        "content": "Explain the trade-offs:\n```python\ndef f(): ...\n```",
    },
]
TODAY = date(2026, 11, 26)


async def test_the_score_is_the_sum_of_what_its_signals_say(upstream, tmp_path):
    bodies = [
        {"messages": [{"role": "user", "content": "Hi"}]},
        {"messages": TALK},
        {"messages": TALK, "tools": [TOOL]},
        {"messages": TALK, "response_format": {"type": "json_object"}},
        {"messages": [{"role": "user", "content": "word " * 3000}]},
    ]
    async with serving(three_tiers(upstream.url), tmp_path) as gateway:
        replies = [await ask(gateway, **body) for body in bodies]
        records = gateway.records("request")

    # 110 tokens, 340 characters of instructions, 2 messages before, code, reasoning
    talk = 10 + 4 + 3 + 10 + 15
    expected = [5, talk, talk + 15, talk + 10, 25]
    for reply, record, score in zip(replies, records, expected, strict=True):
        signals = step(record, "score")["signals"]
        points = [int(re.search(r" \+(\d+) \(", signal)[1]) for signal in signals]
        assert sum(points) == record["score"] == score, signals
        assert reply.headers["x-llm-router-score"] == str(score)
        [reason] = [s["text"] for s in record["decisions"] if s["step"] == "tier"][:1]
        tier = 1 if score <= 30 else 2 if score <= 70 else 3
        border = {1: 30, 2: 70}[tier]
        assert reason == f"Score {score} is at most {border}: tier {tier}."


@pytest.mark.parametrize("model", ["tier-1", "tier-2", "tier-3"])
async def test_cost_and_savings_are_tokens_times_prices(upstream, tmp_path, model):
    async with serving(three_tiers(upstream.url), tmp_path) as gateway:
        await ask(gateway, "Hi there", model=model)
        [record] = gateway.records("request")
        [attempt] = gateway.records("attempt")

    def charged(price) -> int:
        prompt, answer = record["prompt_tokens"], record["completion_tokens"]
        return -(-(prompt * price.input + answer * price.output) // 10**6)

    price = PRICES[record["tier"]]
    assert record["prompt_tokens"] > 0
    assert record["completion_tokens"] > 0
    assert attempt["price"]["input"] == price.input
    assert attempt["price"]["output"] == price.output
    assert attempt["cost_nano"] == record["cost_nano"] == charged(price)
    assert record["saved_nano"] == charged(PRICES[3]) - charged(price)


async def test_the_chance_of_a_tier_that_a_router_draws(upstream, tmp_path):
    catalog = trained(upstream.url, learning=True, learned_soft_share=0.5)
    softness = catalog.brain.router.softness
    async with serving(catalog, tmp_path) as gateway:
        for number in range(20):
            await ask(gateway, f"{HARD} {number}")
        records = gateway.records("request")

    for record in records:
        shown = step(record, "router")
        pulls = {
            each["tier"]: exp(each["utility"] / softness.spread)
            for each in shown["tiers"]
        }
        least = softness.least_chance
        share = pulls[record["tier"]] / sum(pulls.values())
        chance = least + (1 - 3 * least) * share
        assert shown["chance"] == pytest.approx(chance, abs=1e-3)
        assert record["lesson"]["chance"] == shown["chance"]
    assert len({record["tier"] for record in records}) > 1


async def test_the_numbers_of_a_router_that_is_watched(upstream, tmp_path):
    async with serving(trained(upstream.url, shadow=True), tmp_path) as gateway:
        await ask(gateway, EASY)
        await ask(gateway, HARD)
        records = gateway.records("request")

    router = trained(upstream.url).brain.router
    for record, text in zip(records, (EASY, HARD), strict=True):
        shown = step(record, "shadow")
        quality = dict(zip((1, 2, 3), by_hand(features(text)), strict=True))
        for each in shown["tiers"]:
            price, tokens = PRICES[each["tier"]], -(-len(text) // 4)
            cost = (tokens * price.input + 500 * price.output) / 1e6
            clipped = min(max(quality[each["tier"]], 0.0), 1.0)
            utility = clipped - router.outlook.rate * cost
            assert each["quality"] == pytest.approx(clipped, abs=1e-5)
            assert each["cost_nano_usd"] == round(cost)
            assert each["utility"] == pytest.approx(utility, abs=1e-5)
        best = max(shown["tiers"], key=lambda each: each["utility"])
        assert shown["tier"] == best["tier"]
        assert shown["quality_per_nano_usd"] == router.outlook.rate
        assert shown["gain"] == pytest.approx(quality[3] - quality[1], abs=1e-5)
        assert shown["intents"] == told_by_hand(features(text))


def features(text: str):
    from routing.learned.features import prompt_of, row_of

    return row_of(prompt_of({"messages": [{"role": "user", "content": text}]}))


async def test_the_mixture_of_intents_and_what_trails_are_worth(upstream, tmp_path):
    kinds = [
        Kind(1, "code", "python, function"),
        Kind(2, "translation", "translate, into german"),
        Kind(3, "other", bias=0.5),
    ]
    counts = {
        (1, "one"): (30, 24.0, 20.0),
        (1, "two"): (10, 9.0, 2.0),
        (2, "one"): (40, 36.0, 1.0),
        (2, "two"): (8, 7.5, 7.0),
    }
    trails = Trails()
    trails.add(
        [Count((kind, 1, name), TODAY, *sums) for (kind, name), sums in counts.items()],
        TODAY,
    )
    trails.pin((3, 1, "two"), 0.25)
    backends = tuple(backend(name, 1, upstream.url) for name in ("one", "two"))
    guide = Guide(Intents(kinds), {"local": trails}, Trails())
    catalog = replace(
        three_tiers(upstream.url),
        tiers=TIERS,
        backends=backends,
        policy=Policy(cache_enabled=False),
        guide=guide,
    )
    found = {"python function": (2, 0), "translate it": (0, 1), "python to go": (1, 0)}
    async with serving(catalog, tmp_path) as gateway:
        for text in found:
            for number in range(3):  # each a conversation; one in twenty is not steered
                await ask(gateway, f"{text} {number}")
        records = gateway.records("request")

    def worth(mixture: dict[int, float], name: str) -> float:
        value = {(3, "one"): 0.6, (3, "two"): 0.25}
        for (kind, who), (_, weight, reward) in counts.items():
            value[kind, who] = (reward + 0.6 * 4) / (weight + 4)
        return sum(share * value[kind, name] for kind, share in mixture.items())

    steered = 0
    for place, record in enumerate(records):
        code, translation = list(found.values())[place // 3]
        pulls = {1: exp(2 * code), 2: exp(2 * translation), 3: exp(2 * 0.5)}
        mixture = {kind: pull / sum(pulls.values()) for kind, pull in pulls.items()}
        for shown in (s for s in record["decisions"] if s["step"] == "intents"):
            steered += 1
            for kind in kinds:
                share = shown["intents"][kind.slug]
                assert share == pytest.approx(mixture[kind.key], abs=6e-4)
            for name in ("one", "two"):
                expected = worth(mixture, name)
                assert shown["worth"][name] == pytest.approx(expected, abs=1e-4)
            best = max(("one", "two"), key=lambda name: worth(mixture, name))
            assert f"{best} has served such requests best" in shown["text"]
    assert steered >= 6


async def test_the_chance_of_a_tier_that_is_drawn_untrained(upstream, tmp_path):
    catalog = three_tiers(upstream.url, cache_enabled=False)
    brain = Brain(learning=True, exploration=0.6)
    async with serving(replace(catalog, brain=brain), tmp_path) as gateway:
        for number in range(20):
            await ask(gateway, f"Hello {number}")
        records = gateway.records("request")

    for record in records:
        drawn = [s for s in record["decisions"] if s["step"] == "router"]
        stays = record["tier"] == 1
        chance = 0.6 / 3 + (0.4 if stays else 0.0)
        assert record["lesson"]["chance"] == pytest.approx(chance)
        for shown in drawn:
            assert shown["chance"] == pytest.approx(chance)
