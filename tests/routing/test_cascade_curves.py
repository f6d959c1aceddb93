"""Cheap first reaches a higher quality at the same cost than routing alone."""

import numpy as np
import pytest

from benchmarks.cascade import (
    AUC,
    Lines,
    answered,
    confident,
    curve,
    lines_of,
    read,
    routing_alone,
    table,
)
from tests.labelled import EVAL_DATA, needs_labelled_data


def test_the_simulated_checker_tells_right_from_wrong_as_often_as_it_should():
    weak = np.repeat((0.0, 1.0), 2000)
    check = confident(weak, seed=1)

    wrong, right = check[:2000], check[2000:]
    auc = (right[:, None] > wrong[None, :]).mean()
    assert auc == pytest.approx(AUC, abs=0.02)
    # And it is as right as it says.
    sure = check > 0.7
    assert weak[sure].mean() == pytest.approx(check[sure].mean(), abs=0.03)


def test_routing_alone_lies_between_always_weak_and_always_strong():
    gain = np.array([0.9, 0.1, 0.5, 0.2])
    lines = Lines(
        expected=np.column_stack((np.zeros(4), gain)),
        weak=np.array([0.0, 1.0, 0.0, 0.0]),
        strong=np.ones(4),
    )

    assert routing_alone(lines, 1 / 12) == 0.25
    assert routing_alone(lines, (2 * 12 + 2) / 48) == 0.75
    assert routing_alone(lines, 1.0) == 1.0


@pytest.mark.parametrize(
    ("expected", "confidence", "ways"),
    [
        ((0.5, 0.9), 0.9, (False, True)),  # surely better: asked at once
        ((0.5, 0.55), 0.1, (True, False)),  # surely not worth it: not even checked
        ((0.5, 0.65), 0.9, (True, False)),
        ((0.5, 0.65), 0.3, (True, True)),
    ],
)
def test_who_answers_is_what_the_gateway_would_do(expected, confidence, ways):
    assert answered(expected, confidence, price=0.015, band=0.1) == ways


@needs_labelled_data
def test_on_answers_of_real_models_a_noisy_checker_is_worth_it():
    lines = lines_of(read(EVAL_DATA / "routing" / "dev.jsonl.gz", "mix14"))

    points = curve(lines, prices=(0.035, 0.022, 0.014, 0.008), seeds=range(3))

    gains = [point.cascade - point.routing for point in points]
    assert min(gains) > 0.002, table(points)
    assert np.mean(gains) > 0.004, table(points)
