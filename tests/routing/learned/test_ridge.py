import numpy as np
import pytest

from routing.learned import ridge
from routing.learned.design import Dense, Design, Scale
from routing.learned.features import BUCKETS, prompt_of, row_of
from routing.learned.train import DEFAULT_INTENTS
from tests.routing.learned.samples import examples


def rows_of(lines):
    bodies = [{"messages": [{"role": "user", "content": x["prompt"]}]} for x in lines]
    return [row_of(prompt_of(body)) for body in bodies]


def dense(design: Design) -> np.ndarray:
    """The same matrix, written out."""
    matrix = np.zeros((len(design.lengths), design.width))
    for number, start in enumerate(design.starts):
        length = design.lengths[number]
        for bucket in design.buckets[start : start + length]:
            matrix[number, bucket] += 1 / np.sqrt(length)
        matrix[number, BUCKETS:] = design.dense[number]
    return matrix


def dense_of(rows) -> Dense:
    return Dense(Scale.of(np.array([row.cues for row in rows])), DEFAULT_INTENTS)


def make(count=40):
    lines = examples(count, noise=0)
    rows = rows_of(lines)
    return Design.of(rows, dense_of(rows)), lines


def test_the_sparse_products_are_those_of_the_matrix():
    design, _ = make(12)
    matrix = dense(design)
    random = np.random.default_rng(1)
    weights, residuals = random.normal(size=design.width), random.normal(size=12)
    weight = random.uniform(0.5, 2, size=12)

    assert design.times(weights) == pytest.approx(matrix @ weights)
    assert design.transposed_times(residuals) == pytest.approx(matrix.T @ residuals)
    assert design.squares(weight) == pytest.approx(weight**2 @ matrix**2)
    block = design.block(3, 7)
    assert block.times(weights) == pytest.approx(matrix[3:7] @ weights)


def test_the_heads_are_the_solution_of_the_normal_equations():
    design, lines = make(30)
    quality = np.array([[x["quality"]["1"], x["quality"]["3"]] for x in lines])
    quality[:10, 0] = np.nan  # in the order of `patterns`
    weight = np.random.default_rng(2).uniform(0.5, 2, quality.shape)

    heads = ridge.fit(ridge.Judged(design, quality, weight), tolerance=1e-9)

    # In the rows' own space: predictions are K alpha, with both parts' kernels.
    mean = ridge.means(quality, weight)
    used = [(row, tier) for tier in (0, 1) for row in range(30)]
    used = [(r, t) for r, t in used if not np.isnan(quality[r, t])]
    matrix = dense(design)
    inner = matrix @ matrix.T
    kernel = np.array(
        [
            [
                inner[r, s] * (1 / ridge.SHARED_PENALTY + (t == u) / ridge.OWN_PENALTY)
                for s, u in used
            ]
            for r, t in used
        ]
    )
    target = np.array([quality[r, t] - mean[t] for r, t in used])
    noise = np.diag([1 / weight[r, t] for r, t in used])
    expected = kernel @ np.linalg.solve(kernel + noise, target)
    shared, own = heads.parts(design)
    found = [shared[r] + own[r, t] for r, t in used]
    assert found == pytest.approx(expected, abs=1e-6)


def test_a_tier_of_few_rows_leans_on_the_others():
    design, lines = make(100)
    quality = np.array([[x["quality"]["1"], x["quality"]["3"]] for x in lines])
    quality = np.column_stack((quality, np.full(100, np.nan)))
    quality[0, 2] = 0.0
    order, _ = ridge.patterns(quality)
    rows = rows_of(lines)
    rows = [rows[place] for place in order]

    heads = ridge.fit(
        ridge.Judged(Design.of(rows, dense_of(rows)), quality[order], np.ones((100, 3)))
    )

    assert 0.4 < heads.mean[2] < 0.8
    shared, own = heads.parts(design)
    assert np.abs(own[:, 2]).max() < np.abs(shared).max()
