from dataclasses import replace
from random import Random

import numpy as np
import pytest

from routing.catalog import Tier
from routing.chat import Features
from routing.learned.router import (
    LEAST_CHANCE,
    Router,
    Unfit,
    costs_at,
    draw,
    soften,
)
from routing.learned.targets import Target, outlook
from tests.harness import PRICES
from tests.routing.learned.small import EASY, HARD, MODEL, catalog, row

LOSE_LITTLE = Target()


def router(target=LOSE_LITTLE, **fields) -> Router:
    return Router(1, MODEL, catalog(**fields), target)


def test_each_number_can_be_recomputed_by_hand():
    """An oracle of a few lines: price rows x tokens, and the rate on them."""
    asked = Features(prompt_tokens=1000, max_output=100)
    found = router()

    estimates = found.judge(row(HARD), asked)

    for place, each in enumerate(estimates):
        price = PRICES[each.tier]
        cost = (1000 * price.input + 100 * price.output) / 1_000_000
        quality = MODEL.predict(row(HARD))[place]
        assert (each.cost, each.quality) == (cost, pytest.approx(quality))
        assert each.utility == pytest.approx(quality - found.outlook.rate * cost)
    worth_most = max(estimates, key=lambda each: each.utility).tier
    assert found.decide(estimates, [1, 2, 3]) == worth_most


def test_longer_prompts_have_their_own_price():
    stepped = replace(PRICES[1], longer=((1000, PRICES[3]),))
    found = router(price=stepped)
    short, long = (
        found.judge(row(HARD), Features(prompt_tokens=tokens, max_output=100))[0].cost
        for tokens in (1000, 1001)
    )

    assert short == (1000 * PRICES[1].input + 100 * PRICES[1].output) / 1_000_000
    assert long == (1001 * PRICES[3].input + 100 * PRICES[3].output) / 1_000_000
    many = costs_at(stepped, np.array([1000.0, 1001.0]), 100)
    assert many.tolist() == [short, long]


def test_hard_prompts_go_up_and_easy_ones_stay():
    found = router()

    def tier(text, allowed=(1, 2, 3)):
        return found.decide(found.judge(row(text), Features(prompt_tokens=8)), allowed)

    assert (tier(EASY), tier(HARD)) == (1, 3)
    assert tier(HARD, allowed=(1, 2)) == 2
    assert tier(EASY, allowed=(2, 3)) == 2
    assert tier(EASY, allowed=(7,)) is None


@pytest.mark.parametrize("most", [0.0, 0.02, 0.1, 0.5])
def test_a_target_of_lost_quality_is_kept_as_cheaply_as_can_be(most):
    found = router(Target("max_loss", most))

    assert found.outlook.loss <= most + 1e-9
    further = outlook(found.traffic(), found.outlook.rate * 1.1 + 1e-12)
    assert further.cost <= found.outlook.cost + 1e-9


@pytest.mark.parametrize("most", [0.0, 0.1, 0.3, 1.0])
def test_a_target_of_the_top_tiers_share_is_kept(most):
    found = router(Target("top_share", most))

    assert found.outlook.top_share <= most + 1e-9


def test_without_two_known_tiers_it_says_that_it_is_unfit():
    with pytest.raises(Unfit, match="fewer than two of them are here"):
        router(tiers=(Tier(1, "small", 30), Tier(9, "other")))
    with pytest.raises(Unfit, match="fewer than two"):
        router(price=None)
    with pytest.raises(Unfit, match="fewer than two"):
        router(state="draining")


def test_tiers_are_found_by_number_or_by_name():
    tiers = (Tier(2, "Big", 30), Tier(5, "1"))

    assert router(tiers=tiers).tiers == [2, 5]


def test_while_learning_every_tier_has_its_chance():
    found = router()
    estimates = found.judge(row(HARD), Features(prompt_tokens=8))

    chances = found.chances(estimates, [1, 2, 3])

    assert sum(chances.values()) == pytest.approx(1)
    assert min(chances.values()) >= found.softness.least_chance > 0
    assert max(chances, key=chances.get) == 3
    random = Random(1)
    drawn = [draw(chances, random) for _ in range(4000)]
    for tier, chance in chances.items():
        assert drawn.count(tier) / 4000 == pytest.approx(chance, abs=0.03)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.1, 0.3, 0.5])
def test_the_policys_share_of_requests_is_sent_elsewhere(share):
    """An oracle: the chances of each sampled request, added up by hand."""
    found = router()
    traffic = found.traffic()
    softness = soften(traffic, found.outlook.rate, share)

    moved = []
    for quality, cost in zip(traffic.quality, traffic.cost, strict=True):
        utility = quality - found.outlook.rate * cost
        pulls = np.exp((utility - utility.max()) / softness.spread)
        chances = softness.least_chance + (1 - 3 * softness.least_chance) * (
            pulls / pulls.sum()
        )
        moved.append(1 - chances[utility.argmax()])

    assert softness.least_chance <= LEAST_CHANCE
    assert np.mean(moved) == pytest.approx(share, abs=0.01)
