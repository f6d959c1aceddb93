"""Votes on single answers, streamed: what the router that decides is worth by then."""

from random import Random

import numpy as np
import pytest

from benchmarks.votes import (
    apgr,
    gains,
    mix14,
    scores,
    stream,
)
from routing.learned.evaluate import compare
from tests.labelled import needs_labelled_data

pytestmark = [
    pytest.mark.slow,
    needs_labelled_data,
]
SEEDS = (1, 2, 3)


def flipping(seed: int):
    random = Random(seed)
    return lambda quality: 1 - quality if random.random() < 0.2 else quality


def test_votes_raise_the_ranking_of_prompts_never_seen_to_its_bars():
    rows, test = mix14()
    at = {seed: dict(stream(rows, seed, 5000)) for seed in SEEDS}

    for votes, bar in ((1000, 0.665), (5000, 0.68)):
        assert np.mean([apgr(at[seed][votes], test) for seed in SEEDS]) >= bar
    heuristic = scores(None, test)
    for seed in SEEDS:
        learned = scores(at[seed][5000], test)
        assert compare(learned, heuristic, gains(test), "the heuristic").low > 0


def test_a_fifth_of_the_votes_turned_around_costs_little():
    rows, test = mix14()
    found = [
        apgr(dict(stream(rows, seed, 5000, flipping(seed)))[5000], test)
        for seed in SEEDS
    ]

    assert np.mean(found) >= 0.67


def test_with_a_middle_tier_it_takes_more_votes_and_comes_to_the_same():
    rows, test = mix14()

    [*_, (_, model)] = stream(rows, 1, 5000, ranks=(1, 2, 3))

    assert apgr(model, test) >= 0.68
