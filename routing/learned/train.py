"""Trains a router and measures it on rows it has not seen."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from routing.intent_defaults import INTENTS
from routing.learned import ridge
from routing.learned.design import CHARACTERS, Dense, Design, Floats, Scale
from routing.learned.evaluate import OF_LABELS, Demands
from routing.learned.features import Row
from routing.learned.intents import Intents, Kind
from routing.learned.labelled import Labelled
from routing.learned.measure import metrics_of, pairs_of, report_on
from routing.learned.model import QualityModel

DEFAULT_INTENTS = Intents(
    [
        Kind(place, slug, words, cues, bias)
        for place, (slug, _, words, cues, bias) in enumerate(INTENTS)
    ]
)
FOLDS = 5
SAMPLE_ROWS = 2000
STEEPEST = 1.5  # what held-out rows may stretch predictions by


def train(
    labelled: Labelled,
    folds: int = FOLDS,
    start: QualityModel | None = None,
    demands: Demands = OF_LABELS,
    intents: Intents | None = None,
) -> QualityModel:
    """The router of all rows, with what held-out rows say about it.

    With `start`, a router of the same tiers that has seen none of these rows, only
    what it gets wrong is learned. `intents` are the ones of a new gateway unless told,
    and those of `start` with one.
    """
    order, _ = ridge.patterns(labelled.quality)
    labelled = labelled.take(order)
    known = start.expect(labelled.rows) if start else np.zeros_like(labelled.quality)
    surprise = replace(labelled, quality=labelled.quality - known)
    reading = Reading(intents or DEFAULT_INTENTS, start.dense if start else None)
    held = held_out(surprise, folds, reading)
    stretch = stretches(held, surprise)
    predicted = known + held.predict(stretch)
    reports = [
        report_on(pair, predicted, labelled) for pair in pairs_of(labelled.quality)
    ]
    heads, dense = fit(surprise, reading)
    shared, own = stretch
    weights = shared * heads.shared + own * heads.own
    sampled = sample_places(len(labelled.rows))
    return QualityModel(
        tiers=labelled.tiers,
        means=heads.mean + (start.means if start else 0.0),
        weights=(weights + (start.weights if start else 0.0)).astype(np.float32),
        dense=dense,
        sample=np.clip(predicted[sampled], 0.0, 1.0).astype(np.float32),
        sample_tokens=np.array(
            [tokens_of(labelled.rows[place]) for place in sampled.tolist()], np.float32
        ),
        metrics=metrics_of(labelled, predicted, reports, demands),
    )


@dataclass(frozen=True, slots=True)
class Reading:
    """How rows are read: as `known` did, else by their own scale and these intents."""

    intents: Intents
    known: Dense | None = None

    def of(self, rows: Sequence[Row]) -> Dense:
        return self.known or Dense(
            Scale.of(np.array([row.cues for row in rows])), self.intents
        )


def fit(labelled: Labelled, reading: Reading) -> tuple[ridge.Heads, Dense]:
    dense = reading.of(labelled.rows)
    design = Design.of(labelled.rows, dense)
    judged = ridge.Judged(design, labelled.quality, labelled.weight)
    return ridge.fit(judged), dense


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Predictions by heads that had not seen the row: mean, shared part, own part."""

    mean: Floats  # rows x tiers
    shared: Floats  # rows
    own: Floats  # rows x tiers

    def predict(self, stretch: tuple[float, float]) -> Floats:
        shared, own = stretch
        return self.mean + shared * self.shared[:, None] + own * self.own


def held_out(labelled: Labelled, folds: int, reading: Reading) -> HeldOut:
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
        heads, used = fit(labelled.take(rest), reading)
        design = Design.of([labelled.rows[place] for place in test.tolist()], used)
        # Not its mean: a fold that is above it leaves the others below, and rows of
        # different folds would be ranked by that.
        held.shared[test], held.own[test] = heads.parts(design)
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
