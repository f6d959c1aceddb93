from random import Random

import numpy as np
import pytest

from routing.catalog import Catalog, Policy
from routing.chat import Features
from routing.learned.brain import Brain
from routing.learned.promise import Border, Promise
from routing.learned.promised import PromisedRouter
from routing.learned.router import LEAST_CHANCE
from routing.learned.targets import Target
from tests.routing.learned.small import EASY, HARD, MODEL, catalog, row

ASKED = Features(prompt_tokens=8)
TARGET = Target("max_worse", 0.02)


def border(tier, threshold):
    return Border(tier, threshold, 500, 1, 0.0095, 0.5)


def router(*borders, baseline="3"):
    promise = Promise(0.02, 0.95, baseline, borders)
    return PromisedRouter(1, MODEL, catalog(), TARGET, promise=promise)


def tier(found, text, allowed=(1, 2, 3)):
    return found.decide(found.judge(row(text), ASKED), allowed)


def test_the_cheapest_tier_within_its_border_answers():
    found = router(border("1", 0.2), border("2", 0.6))

    assert (tier(found, EASY), tier(found, HARD)) == (1, 2)
    assert tier(router(border("2", 0.1)), EASY) == 2
    assert tier(router(border("1", 0.2)), HARD) == 3
    assert tier(found, EASY, allowed=(2, 3)) == 2
    assert tier(found, HARD, allowed=(1,)) == 1, "a ceiling leaves nothing else"
    assert tier(found, EASY, allowed=(7,)) is None


def test_without_a_promise_everything_goes_to_the_baseline():
    found = PromisedRouter(1, MODEL, catalog(), TARGET)

    assert tier(found, EASY) == tier(found, HARD) == 3
    assert found.outlook.top_share == 1.0
    assert found.outlook.loss == 0.0
    assert "no promise has been shown" in found.why((), 3)


def test_the_outlook_counts_what_the_borders_do_to_the_traffic():
    found = router(border("1", 0.2))
    gain = MODEL.sample[:, 2] - MODEL.sample[:, 0]

    assert found.outlook.top_share == pytest.approx(float(np.mean(gain > 0.2)))


def test_a_baseline_below_the_top_is_not_passed_by():
    given = Catalog(catalog().tiers, catalog().backends, policy=Policy(baseline_tier=2))
    promise = Promise(0.02, 0.95, "2", (border("1", 0.2),))
    found = PromisedRouter(1, MODEL, given, TARGET, promise=promise)

    assert (tier(found, EASY), tier(found, HARD)) == (1, 2)


def test_learning_tries_dearer_tiers_alone_and_each_request_alike():
    found = router(border("1", 0.2))
    for text in (EASY, "say hello to engine"):
        estimates = found.judge(row(text), ASKED)
        assert found.chances(estimates, (1, 2, 3)) == {
            1: pytest.approx(1 - 2 * LEAST_CHANCE),
            2: LEAST_CHANCE,
            3: LEAST_CHANCE,
        }
    assert found.chances(found.judge(row(HARD), ASKED), (1, 2, 3)) == {3: 1.0}


def test_the_explanation_names_the_gain_and_the_border():
    found = router(border("1", 0.2))
    body = {"messages": [{"role": "user", "content": EASY}]}

    easy = Brain(found).propose(body, ASKED, (1, 2, 3), 1, Random(1))

    gain = MODEL.predict(row(EASY))[2] - MODEL.predict(row(EASY))[0]
    assert easy.tier == 1
    assert easy.reason.endswith(
        f": tier 3 gains {gain:.3f} over tier 1, and up to 0.200 keeps the promise."
    )
    body["messages"][0]["content"] = HARD
    hard = Brain(found).propose(body, ASKED, (1, 2, 3), 1, Random(1))
    assert hard.reason.endswith("because a cheaper one would break the promise.")
