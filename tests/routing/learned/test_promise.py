"""The promise holds: by the tables, and in simulations whose truth is known."""

import numpy as np
import pytest

from routing.learned.promise import (
    Border,
    Judged,
    Promise,
    Shortfall,
    border,
    least_judged,
    loosest,
    promise,
    thresholds,
)

STEPS = thresholds(np.linspace(0.0, 1.0, 1001))
REPETITIONS = 300


def draw(random, count, worse_at):
    """Judgements of requests with gains from 0 to 1, worse by a known chance."""
    gain = random.random(count)
    return gain, random.random(count) < worse_at(gain)


def broken_and_given(worse_at, count, limit=0.02):
    """How often a border was given that breaks the limit, and how often one was."""
    fine = np.linspace(0.0, 1.0, 20_001)
    mean = np.cumsum(worse_at(fine)) / np.arange(1, len(fine) + 1)
    random = np.random.default_rng(5)
    broken = given = 0
    for _ in range(REPETITIONS):
        gain, worse = draw(random, count, worse_at)
        found = loosest(gain, worse, STEPS, limit, 0.95)
        if found is not None:
            given += 1
            broken += mean[np.searchsorted(fine, found) - 1] > limit
    return broken / REPETITIONS, given / REPETITIONS


@pytest.mark.parametrize("count", [300, 1000, 4000])
@pytest.mark.parametrize(
    "worse_at",
    [
        lambda gain: gain * 0 + 0.0201,  # a hair above the limit everywhere
        lambda gain: gain * 0.2,  # rises through it
        lambda gain: np.where(gain < 0.3, 0.0, 0.3),  # a cliff
        lambda gain: 0.03 - 0.02 * gain,  # the ranking is upside down
    ],
)
def test_the_promise_holds_in_95_of_100_repetitions(worse_at, count):
    broken, _ = broken_and_given(worse_at, count)

    assert broken <= 0.05


def test_what_can_be_shown_is_shown():
    assert broken_and_given(lambda gain: gain * 0.01, 1000)[1] > 0.9
    assert broken_and_given(lambda gain: np.where(gain < 0.5, 0, 0.3), 2000) == (0, 1)


def test_a_share_of_the_worse_without_its_bound_would_break_it():
    """What the tests above are good for: the naive rule fails them."""
    random = np.random.default_rng(5)
    kept = 0
    for _ in range(REPETITIONS):
        gain, worse = draw(random, 1000, lambda gain: gain * 0 + 0.0201)
        kept += any(worse[gain <= step].mean() <= 0.02 for step in STEPS[10:])

    assert kept / REPETITIONS > 0.5


def test_the_border_is_the_loosest_before_the_first_that_fails():
    gain = np.linspace(0.001, 1.0, 1000)
    worse = np.zeros(1000, bool)
    worse[700:720] = True

    found = border("1", gain, worse, STEPS, 0.02, 0.95)

    # 8 of 720 would do (bound 1.99 %); at 0.72 there are 20.
    assert (found.threshold, found.judged, found.worse) == (
        pytest.approx(0.70, abs=1e-3),
        700,
        0,
    )
    assert found.bound == pytest.approx(1 - 0.05 ** (1 / 700), rel=1e-6)
    assert found.share == 0.7


def test_too_few_judgements_are_refused_with_how_many_are_missing():
    gain = np.linspace(0.0, 1.0, 100)
    found = border("2", gain, np.zeros(100, bool), STEPS, 0.02, 0.95)

    assert found == Shortfall("2", 100, 52)
    assert str(found) == (
        "Tier 2: 100 judgements show no border. About 52 more are needed."
    )
    again = np.linspace(0.0, 1.0, 152)
    found = border("2", again, np.zeros(152, bool), STEPS, 0.02, 0.95)
    assert found.judged >= 149


def test_a_stricter_start_is_counted_with_when_the_easy_half_is_bad():
    """Only a fifth of the requests is good enough: it takes five times as many."""
    gain = np.linspace(0.0, 1.0, 400)
    found = border("1", gain, gain > 0.2, STEPS, 0.02, 0.95)

    assert 5 * 149 - 400 <= found.more <= 1.05 * 3 * 5 * 149 - 400
    gain = np.linspace(0.0, 1.0, 400 + found.more)
    assert border("1", gain, gain > 0.2, STEPS, 0.02, 0.95).threshold <= 0.2


def test_no_number_of_judgements_shows_what_is_not_so():
    gain = np.linspace(0.0, 1.0, 1000)
    found = border("1", gain, np.ones(1000, bool), STEPS, 0.02, 0.95)

    assert found == Shortfall("1", 1000, None)
    assert "more will not" in str(found)


def test_no_border_lies_beyond_what_was_judged():
    """Only requests of the easier half were ever judged; all of those are fine."""
    gain = np.linspace(0.0, 0.5, 2000)
    found = border("1", gain, np.zeros(2000, bool), STEPS, 0.02, 0.95)

    assert 0.3 <= found.threshold <= 0.5


def test_149_judgements_show_two_percent():
    assert least_judged(0.02, 0.95) == 149
    assert least_judged(0.01, 0.95) == 299
    none_worse = np.zeros(149, bool)
    found = border("1", np.linspace(0, 1, 149), none_worse, STEPS, 0.02, 0.95)
    assert (found.judged, found.threshold) == (149, 1.0)


def test_tiers_share_the_doubt_and_a_dearer_one_is_judged_on_what_is_left():
    random = np.random.default_rng(2)
    gain = random.random((4000, 3))
    gain[:, 2] = 0.0
    cheap = Judged("1", gain[:2000], gain[:2000, 0] > 0.4)
    # Tier 2 is bad exactly where tier 1 answers already.
    middle = Judged("2", gain[2000:], gain[2000:, 0] < 0.35)

    found = promise([cheap, middle], gain, ("1", "2", "3"), "3", 0.02)

    first, second = found.borders
    assert (first.tier, second.tier) == ("1", "2")
    assert 0.36 < first.threshold <= 0.42
    assert second.threshold == pytest.approx(1.0, abs=1e-3)
    assert second.judged < 1300
    alone = promise([middle], gain, ("1", "2", "3"), "3", 0.02)
    assert alone.borders == ()
    # With half the doubt each, 0 worse of n show 1 - 0.025 ** (1 / n).
    assert second.bound == pytest.approx(1 - 0.025 ** (1 / second.judged), rel=1e-6)


def test_a_promise_is_kept_as_json():
    given = Promise(0.02, 0.95, "3", (Border("1", 0.25, 500, 2, 0.0125, 0.5),))

    assert Promise.of_json(given.as_json()) == given
    for broken in ({}, {**given.as_json(), "borders": 7}, {"borders": [{}]}):
        with pytest.raises((KeyError, TypeError, ValueError)):
            Promise.of_json(broken)
