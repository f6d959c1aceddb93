import pytest

from routing.cascade import KEPT, Stake, plan
from routing.catalog import Catalog, Policy
from routing.classifier import Score
from routing.tiers import Choice
from tests.harness import TIERS


def planned(tier, estimates=(), score=5, allowed=(1, 2, 3), only_up=False, **policy):
    estimates = tuple(
        {"tier": tier, "quality": utility + 0.1, "utility": utility}
        for tier, utility in estimates
    )
    choice = Choice(tier, (), estimates)
    catalog = Catalog(TIERS, policy=Policy(**policy))
    found = plan(choice, Score(score, ()), allowed, catalog, only_up=only_up)
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


def test_a_check_of_form_alone_never_begins_below_the_chosen_tier():
    worth = ((1, 0.78), (2, 0.5), (3, 0.8))
    assert planned(3, worth, only_up=True) is None
    assert planned(1, ((1, 0.8), (2, 0.5), (3, 0.78)), only_up=True) == (1, 3)
    assert planned(2, score=34, cascade_band=0.05, only_up=True) is None
    assert planned(1, score=30, cascade_band=0.05, only_up=True) == (1, 2)


def test_the_gain_of_going_up_is_recomputed_by_hand():
    stake = Stake(quality=0.5, better=0.8, price=0.1)

    # Even odds, moved to 3 to 1 by a confidence of 0.75 where 0.5 tells nothing.
    right = 0.75
    mended = (0.8 - 0.5 * KEPT) / 0.5
    expected = (1 - right) * mended - right * (1 - KEPT)
    assert stake.gain(0.75, 0.5) == pytest.approx(expected)
    # What tells nothing leaves the difference that the router expects.
    assert stake.gain(0.6, 0.6) == pytest.approx(0.3)
    gains = [stake.gain(sure / 10, 0.5) for sure in range(11)]
    assert gains == sorted(gains, reverse=True)
    assert gains[0] > 0 > gains[-1]


@pytest.mark.parametrize("quality", [0.0, 1.0])
@pytest.mark.parametrize("confidence", [0.0, 1.0])
def test_certainty_has_its_bounds(quality, confidence):
    gain = Stake(quality, better=1.0, price=0.0).gain(confidence, neutral=0.0)
    assert -1 <= gain <= 1
