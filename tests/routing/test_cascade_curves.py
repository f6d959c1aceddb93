"""Cheap first reaches a higher quality at the same cost than routing alone."""

import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks.cascade import AUC, Traffic, checked, curves, read, routing_alone, table

EVAL_DATA = os.environ.get("LLM_ROUTER_EVAL_DATA", "")


def test_the_simulated_checker_tells_right_from_wrong_as_often_as_it_should():
    weak = np.repeat((0.0, 1.0), 2000)
    check = checked(weak, seed=1)

    wrong, right = check[:2000], check[2000:]
    auc = (right[:, None] > wrong[None, :]).mean()
    assert auc == pytest.approx(AUC, abs=0.02)


def test_routing_alone_lies_between_always_weak_and_always_strong():
    traffic = Traffic(
        gain=np.array([0.9, 0.1, 0.5, 0.2]),
        weak=np.array([0.0, 1.0, 0.0, 0.0]),
        strong=np.ones(4),
        check=np.zeros(4),
    )

    assert routing_alone(traffic, 1 / 12) == 0.25
    assert routing_alone(traffic, (2 * 12 + 2) / 48) == 0.75
    assert routing_alone(traffic, 1.0) == 1.0


@pytest.mark.skipif(not EVAL_DATA, reason="LLM_ROUTER_EVAL_DATA names no folder")
def test_on_answers_of_real_models_a_noisy_checker_is_worth_it():
    rows = read(Path(EVAL_DATA) / "routing" / "dev.jsonl.gz", "mix14")

    points = curves(rows, seeds=range(3), budgets=(0.3, 0.5, 0.6, 0.7))

    gains = [point.cascade - point.routing for point in points]
    assert min(gains) > 0, table(points)
    assert np.mean(gains) > 0.001, table(points)
