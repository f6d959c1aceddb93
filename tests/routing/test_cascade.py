import pytest

from routing.cascade import plan
from routing.catalog import Catalog, Policy
from routing.classifier import Score
from routing.tiers import Choice
from tests.harness import TIERS


def planned(tier, estimates=(), score=5, allowed=(1, 2, 3), **policy):
    estimates = tuple({"tier": tier, "utility": utility} for tier, utility in estimates)
    choice = Choice(tier, (), estimates)
    catalog = Catalog(TIERS, policy=Policy(**policy))
    found = plan(choice, Score(score, ()), allowed, catalog)
    return found and (found.first, found.then)


@pytest.mark.parametrize(
    ("tier", "worth", "expected"),
    [
        (3, ((1, 0.78), (2, 0.5), (3, 0.8)), (1, 3)),
        (1, ((1, 0.80), (2, 0.77), (3, 0.79)), (1, 3)),
        (2, ((1, 0.70), (2, 0.8), (3, 0.79)), (2, 3)),
        (2, ((1, 0.77), (2, 0.8), (3, 0.79)), (1, 2)),
        (1, ((1, 0.80), (2, 0.7), (3, 0.7)), None),
        (3, ((1, 0.70), (2, 0.7), (3, 0.8)), None),
        (1, ((1, 0.78), (2, 0.5), (3, 0.8)), None),  # drawn, to learn from
    ],
)
def test_tiers_that_are_worth_nearly_the_same_are_uncertain(tier, worth, expected):
    assert planned(tier, worth, cascade_band=0.05) == expected


def test_a_tier_that_is_not_allowed_is_none():
    worth = ((1, 0.8), (2, 0.79), (3, 0.79))
    assert planned(1, worth, allowed=(1, 2)) == (1, 2)
    assert planned(1, worth, allowed=(1,)) is None


@pytest.mark.parametrize(
    ("score", "tier", "expected"),
    [(30, 1, (1, 2)), (26, 1, (1, 2)), (24, 1, None), (34, 2, (1, 2)), (67, 2, (2, 3))],
)
def test_without_a_router_scores_near_a_border_are(score, tier, expected):
    assert planned(tier, score=score, cascade_band=0.05) == expected
    assert planned(tier, score=score, cascade_band=0.05, cold_start="baseline") is None


def test_a_promise_leaves_one_way_and_that_is_up():
    worth = ((1, 0.2), (2, 0.5), (3, 0.9))
    assert planned(1, worth, learned_target="max_worse") == (1, 3)
    assert planned(3, worth, learned_target="max_worse") is None
