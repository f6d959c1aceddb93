import numpy as np
import pytest

from routing.learned.evaluate import (
    MIN_ROWS,
    OF_LABELS,
    OF_VOTES,
    STATIC,
    Comparison,
    Curve,
    PairReport,
    Ranking,
    compare,
    report,
)


def area(points):
    pairs = zip(points[:-1], points[1:], strict=True)
    return sum((x2 - x1) * (y1 + y2) / 2 for (x1, y1), (x2, y2) in pairs)


def test_apgr_is_the_area_under_the_curve_of_recovered_quality():
    score = np.array([0.9, 0.8, 0.1, 0.7])
    gain = np.array([1.0, 0.0, 0.0, 1.0])

    ranking = Curve(score, gain).ranking()

    expected = area([(0, 0), (0.25, 0.5), (0.5, 0.5), (0.75, 1), (1, 1)])
    assert ranking.apgr == pytest.approx(expected)
    assert ranking.cpt50 == pytest.approx(0.25)
    assert ranking.cpt80 == pytest.approx(0.65)


def test_a_score_that_says_nothing_is_a_coin():
    gain = np.array([1.0, 0.0, -1.0, 1.0])

    ranking = Curve(np.zeros(4), gain).ranking()

    assert (ranking.apgr, ranking.cpt50, ranking.cpt80) == (0.5, 0.5, 0.8)


def test_a_better_score_is_told_from_a_worse_one_with_an_interval():
    random = np.random.default_rng(3)
    gain = (random.random(500) < 0.4).astype(float)
    good = gain + random.normal(scale=0.5, size=500)
    coin = random.normal(size=500)

    found = compare(good, coin, gain, "a coin")

    assert found.low > 0.1
    assert found.low < found.difference < found.high
    assert compare(coin, good, gain, "a good one").high < 0
    assert compare(good, coin, gain, "a coin") == found  # the same each time


def test_a_router_that_beats_nothing_is_objected_to():
    random = np.random.default_rng(4)
    gain = (random.random(400) < 0.4).astype(float)
    good = gain + random.normal(scale=0.3, size=400)
    coin = random.normal(size=400)

    assert report(("1", "3"), good, gain, {"a coin": coin}).objections() == []
    [reason] = report(("1", "3"), coin, gain, {"a good one": good}).objections()
    assert reason.startswith("It does not beat a good one between 1 and 3: APGR 0.")
    [reason] = report(("1", "3"), good, -gain, {"a coin": coin}).objections()
    assert "there is nothing to route for" in reason
    few = MIN_ROWS - 1
    [reason] = report(
        ("1", "3"), good[:few], gain[:few], {"a coin": coin[:few]}
    ).objections()
    assert f"Only {few} held-out rows" in reason


def test_a_router_of_labels_may_tie_with_a_baseline_and_not_lose_to_it_or_to_a_coin():
    random = np.random.default_rng(5)
    gain = (random.random(400) < 0.4).astype(float)
    known = gain + random.normal(scale=0.5, size=400)
    better = known + gain * 0.02  # by so little that no interval shows it
    coin = random.normal(size=400)

    def objections(score, baseline):
        baselines = {"log(length)": baseline, STATIC: np.zeros(400)}
        found = report(("1", "3"), score, gain, baselines)
        return found.comparisons[0], found.objections(OF_LABELS)

    compared, none = objections(better, known)
    assert compared.low < 0.01 < 0.5 < compared.odds
    assert none == []
    [reason] = objections(known, better)[1]
    assert reason.startswith("It does not beat log(length) between 1 and 3: APGR 0.")
    [reason] = objections(coin, -known)[1]
    assert reason.startswith("It does not beat static tiers between 1 and 3: APGR 0.")


@pytest.mark.parametrize(
    ("over_length", "over_a_coin", "may"),
    [
        (0.81, 0.81, True),  # likely better than all
        (0.51, 0.98, True),  # surely better than a coin, and loses to none
        (0.51, 0.97, False),
        (0.49, 0.98, False),
    ],
)
def test_a_router_of_votes_is_likely_better_than_all_or_surely_better_than_a_coin(
    over_length, over_a_coin, may
):
    def against(name, odds):
        return Comparison(name, 0.6, 0.5, odds - 0.5, -0.1, 0.1, odds)

    compared = (against("log(length)", over_length), against(STATIC, over_a_coin))
    found = PairReport("1", "3", MIN_ROWS, 0.4, Ranking(0.6, 0.5, 0.8), compared)

    assert (found.objections(OF_VOTES) == []) == may


def test_a_pair_of_tiers_tells_of_a_loss_that_is_sure_and_of_no_other():
    random = np.random.default_rng(6)
    gain = (random.random(400) < 0.4).astype(float)
    good = gain + random.normal(scale=0.3, size=400)
    coin, other = random.normal(size=400), random.normal(size=400)

    [reason] = report(("1", "2"), coin, gain, {"log(length)": good}).losses()
    assert reason.startswith("It loses to log(length) between 1 and 2: APGR 0.")
    assert report(("1", "2"), coin, gain, {"log(length)": other}).losses() == []
    few = slice(MIN_ROWS - 1)
    baselines = {"log(length)": good[few]}
    assert report(("1", "2"), coin[few], gain[few], baselines).losses() == []
