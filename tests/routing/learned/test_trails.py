from datetime import date, timedelta
from random import Random

import numpy as np
import pytest

from routing.learned.guide import Guide
from routing.learned.intent_check import check
from routing.learned.intents import Intents, Kind
from routing.learned.trails import (
    LEAST,
    PRIOR,
    PRIOR_VOTES,
    Count,
    Strength,
    Trails,
    reward_of,
    simulate,
)
from tests.routing.learned.samples import examples, labelled

TODAY = date(2026, 11, 26)
CELL = (1, 1, "haiku")


def trails(*counts, pins=()):
    made = Trails()
    made.add(counts, TODAY)
    for cell, value in pins:
        made.pin(cell, value)
    return made


def test_a_cell_is_recomputed_by_hand():
    old = Count(CELL, TODAY - timedelta(days=14), 10, 8.0, 8.0)
    new = Count(CELL, TODAY, 5, 4.0, 1.0)

    found = trails(old, new).cells[CELL]

    weight, reward = 8.0 / 2 + 4.0, 8.0 / 2 + 1.0
    expected = (reward + PRIOR * PRIOR_VOTES) / (weight + PRIOR_VOTES)
    assert found.value == pytest.approx(expected)
    assert found.votes == 15
    low, high = found.interval
    assert low < found.value < high
    assert high - low == pytest.approx(2 * 1.96 * (0.25 / 12) ** 0.5)


def test_only_good_answers_strengthen_a_trail():
    assert [reward_of(q) for q in (0.0, 0.49, 0.5, 1.0)] == [0.0, 0.0, 0.5, 1.0]


def test_what_is_old_fades_to_the_prior_and_no_trail_ends():
    bad = Count(CELL, TODAY, 9000, 9000.0, 0.0)
    ancient = Count(CELL, TODAY - timedelta(days=400), 9000, 9000.0, 0.0)

    assert trails(bad).cells[CELL].value == LEAST
    assert trails(ancient).cells[CELL].value == pytest.approx(PRIOR, abs=1e-3)
    assert Strength().value == PRIOR


def test_a_pin_counts_instead_of_what_was_learned():
    bad = Count(CELL, TODAY, 90, 90.0, 0.0)
    found = trails(bad, pins=[(CELL, 0.9)])

    assert found.cells[CELL].interval == (0.9, 0.9)
    assert found.worth({1: 0.5, 2: 0.5}, 1, "haiku") == 0.5 * 0.9 + 0.5 * PRIOR


def guide(**scopes):
    kinds = [Kind(1, "code", "python"), Kind(2, "other", bias=0.5)]
    return Guide(Intents(kinds), scopes, Trails())


def prefer(found, text, scope="a", seed=3):
    body = {"messages": [{"role": "user", "content": text}]}
    return found.prefer(body, scope, 1, ["haiku", "mini"], Random(seed))


def test_the_strongest_trail_for_this_kind_of_request_is_preferred():
    found = guide(
        a=trails(
            Count((1, 1, "haiku"), TODAY, 30, 30.0, 29.0),
            Count((1, 1, "mini"), TODAY, 30, 30.0, 3.0),
            Count((2, 1, "haiku"), TODAY, 30, 30.0, 3.0),
            Count((2, 1, "mini"), TODAY, 30, 30.0, 29.0),
        )
    )

    code, other = prefer(found, "python python"), prefer(found, "the weather")

    assert (code.backend, other.backend) == ("haiku", "mini")
    assert code.reason.startswith("code ")
    worth = code.facts["worth"]
    share = code.facts["intents"]["code"]
    value = {"haiku": (29 + 2.4) / 34, "mini": (3 + 2.4) / 34}
    assert worth["haiku"] == pytest.approx(
        share * value["haiku"] + (1 - share) * value["mini"], abs=1e-3
    )


def test_nobodys_votes_steer_another_scope():
    found = guide(a=trails(Count((2, 1, "haiku"), TODAY, 30, 30.0, 29.0)))

    assert prefer(found, "the weather").backend == "haiku"
    assert prefer(found, "the weather", scope="b") is None


def test_now_and_then_no_trail_steers_so_that_others_are_left_too():
    found = guide(a=trails(Count((2, 1, "haiku"), TODAY, 30, 30.0, 29.0)))
    free = sum(prefer(found, "Hi", seed=seed) is None for seed in range(400))

    assert 5 <= free <= 45


def test_simulated_trails_find_what_each_kind_needs_and_static_tiers_do_not():
    intents = Intents(
        [Kind(1, "hard", "prove, derive, show"), Kind(2, "easy", "hello")]
    )
    report = check(intents, labelled(examples(1200)))

    assert report.ranking.apgr > 0.7
    assert report.objections() == []


def test_intents_that_tell_nothing_are_refused_with_the_reason():
    intents = Intents([Kind(1, "a", "zebra"), Kind(2, "b", "yak")])
    report = check(intents, labelled(examples(1200)))

    assert report.objections()[0].startswith("It does not beat static tiers ")


def test_the_simulation_reads_other_rows_than_it_was_laid_by():
    mixtures = np.ones((10, 1))
    quality = np.tile((0.0, 1.0), (10, 1))

    worth, rows = simulate(mixtures, quality, seed=4)

    assert len(rows) == len(worth) == 5
    assert (worth[:, 1] > worth[:, 0]).all()
