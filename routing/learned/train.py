"""Trains a router and measures it on rows it has not seen."""

import math
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from routing.learned import ridge
from routing.learned.design import Design, Floats, Scale
from routing.learned.features import CUES, Row
from routing.learned.labelled import Labelled
from routing.learned.measure import metrics_of, pairs_of, report_on
from routing.learned.model import QualityModel

FOLDS = 5
SAMPLE_ROWS = 2000
CHARACTERS = CUES.index("characters")
STEEPEST = 1.5  # what held-out rows may stretch predictions by


def train(labelled: Labelled, folds: int = FOLDS) -> QualityModel:
    """The router of all rows, with what held-out rows say about it."""
    order, _ = ridge.patterns(labelled.quality)
    labelled = labelled.take(order)
    held = held_out(labelled, folds)
    stretch = stretches(held, labelled)
    predicted = held.predict(stretch)
    reports = [
        report_on(pair, predicted, labelled) for pair in pairs_of(labelled.quality)
    ]
    heads, scale = fit(labelled)
    shared, own = stretch
    sampled = sample_places(len(labelled.rows))
    return QualityModel(
        tiers=labelled.tiers,
        means=heads.mean,
        weights=(shared * heads.shared + own * heads.own).astype(np.float32),
        scale=scale,
        sample=np.clip(predicted[sampled], 0.0, 1.0).astype(np.float32),
        sample_tokens=np.array(
            [tokens_of(labelled.rows[place]) for place in sampled.tolist()], np.float32
        ),
        metrics=metrics_of(labelled, predicted, reports),
    )


def fit(labelled: Labelled) -> tuple[ridge.Heads, Scale]:
    scale = Scale.of(np.array([row.cues for row in labelled.rows]))
    design = Design.of(labelled.rows, scale)
    judged = ridge.Judged(design, labelled.quality, labelled.weight)
    return ridge.fit(judged), scale


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Predictions by heads that had not seen the row: mean, shared part, own part."""

    mean: Floats  # rows x tiers
    shared: Floats  # rows
    own: Floats  # rows x tiers

    def predict(self, stretch: tuple[float, float]) -> Floats:
        shared, own = stretch
        return self.mean + shared * self.shared[:, None] + own * self.own


def held_out(labelled: Labelled, folds: int) -> HeldOut:
    """Cross-validation; the same text is always in the same fold."""
    fold = np.array([crc32(row.buckets.tobytes()) % folds for row in labelled.rows])
    held = HeldOut(
        np.tile(ridge.means(labelled.quality, labelled.weight), (len(fold), 1)),
        np.zeros(len(fold)),
        np.zeros_like(labelled.quality),
    )
    for number in range(folds):
        test = np.flatnonzero(fold == number)
        rest = np.flatnonzero(fold != number)
        if not len(test) or not len(rest):
            continue
        heads, scale = fit(labelled.take(rest))
        design = Design.of([labelled.rows[place] for place in test.tolist()], scale)
        held.shared[test], held.own[test] = heads.parts(design)
        held.mean[test] = heads.mean
    return held


def stretches(held: HeldOut, labelled: Labelled) -> tuple[float, float]:
    """By how much each part must be stretched for predictions to mean what they say.

    Two numbers for all tiers: with one per tier, calibration could turn a ranking.
    """
    known = ~np.isnan(labelled.quality)
    weight = np.sqrt(labelled.weight[known])
    shared = np.broadcast_to(held.shared[:, None], known.shape)[known]
    columns = np.column_stack((shared, held.own[known])) * weight[:, None]
    error = (labelled.quality - held.mean)[known] * weight
    lean = np.eye(2) * 1e-3 * len(error) * 1e-2  # toward 0 when nothing was learned
    solved = np.linalg.solve(columns.T @ columns + lean, columns.T @ error)
    shared_by, own_by = np.clip(solved, 0.1, STEEPEST)
    return float(shared_by), float(own_by)


def sample_places(rows: int) -> NDArray[np.intp]:
    """Evenly spread rows, for solving targets on."""
    return np.arange(0, rows, max(1, -(-rows // SAMPLE_ROWS)))


def tokens_of(row: Row) -> float:
    """About how long its prompt was."""
    return math.expm1(float(row.cues[CHARACTERS])) / 4
