"""Cheap first beside a trained router."""

from dataclasses import replace
from pathlib import Path

import pytest

from routing.learned.brain import Brain
from routing.learned.router import Router
from routing.learned.targets import Target
from tests.faultllm import FaultLLM
from tests.gateway.cascade.doubting import REFUSES, catalog, check, steps
from tests.harness import PRICES, ask, serving
from tests.routing.learned.samples import small_router


async def test_a_routers_uncertainty_is_what_counts_when_there_is_one(
    upstream: FaultLLM, tmp_path: Path
):
    given = catalog(upstream.url, REFUSES, cascade_band=0.9, cascade_check="logprobs")
    router = Router(1, small_router(), given, Target())
    given = replace(given, brain=Brain(router))
    async with serving(given, tmp_path) as gateway:
        await ask(gateway, "derive the integral of lamp cloud")
        [plan] = steps(gateway, "cascade")
        [chosen] = steps(gateway, "router")

    worth = {each["tier"]: each["utility"] for each in chosen["tiers"]}
    best = max(worth, key=worth.get)
    assert (plan["first"], plan["then"]) == (1, best)
    assert plan["text"].startswith(
        f"Tiers 1 and {best} are worth the same within {worth[best] - worth[1]:.3f}."
    )


def test_prices_of_the_tiers_rise():
    """What the tests above take for granted."""
    assert PRICES[1].input < PRICES[2].input < PRICES[3].input


@pytest.mark.parametrize(("says", "tier"), [("NO", 3), ("YES", 1)])
async def test_a_check_is_weighed_against_what_the_router_expects(
    upstream: FaultLLM, tmp_path: Path, says, tier
):
    """Every number of the decision can be recomputed."""
    given = catalog(
        upstream.url,
        "small",
        cascade_band=0.9,
        cascade_check="judge",
        cascade_judge="judge",
        judge_says=f"fault/say={says}",
        learned_target="top_share",
    )
    router = Router(1, small_router(), given, Target("top_share", 0.3))
    given = replace(given, brain=Brain(router))
    text = "derive the integral of lamp cloud" if says == "NO" else "say hello to lamp"
    async with serving(given, tmp_path) as gateway:
        await ask(gateway, text)
        [record] = gateway.records("request")
        [chosen] = steps(gateway, "router")
        [planned] = steps(gateway, "cascade")
        checked = check(gateway)

    tiers = {each["tier"]: each for each in chosen["tiers"]}
    first, then = tiers[planned["first"]], tiers[planned["then"]]
    quality, better = min(max(first["quality"], 0.01), 0.99), then["quality"]
    odds = quality / (1 - quality) * (1 / 3 if says == "NO" else 3)
    right = odds / (1 + odds)
    mended = (better - 0.9 * quality) / (1 - quality)
    gain = (1 - right) * min(1, max(0, mended)) - right * 0.1
    assert checked["gain"] == pytest.approx(gain, abs=2e-4)
    assert checked["price"] == pytest.approx(better - then["utility"], abs=2e-4)
    assert checked["passed"] == (checked["gain"] <= checked["price"])
    assert record["tier"] == tier
