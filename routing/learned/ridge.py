"""Ridge heads: one quality per tier, what tiers share being learned together.

    quality of tier k = mean of k + x.(shared + own of k)

Rows whose tiers were all judged teach the difference between tiers directly; rows of
which one answer was judged teach what is shared, and a little of the difference.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.learned.design import Design, Floats
from routing.learned.features import BUCKETS, CUES

# Penalties, settled by cross-validation; the plateau around them is wide.
SHARED_PENALTY = 2.0
OWN_PENALTY = 6.0
# Where one answer was judged of each prompt, the difference is hidden by what prompts
# have of their own, and is trusted half as quickly.
LONE_OWN_PENALTY = 12.0
# They tell next to nothing of how the difference goes by length and intent: with
# these learned from votes of which a fifth is wrong, routers were worse than without.
LONE_BEYOND_CUES_PENALTY = 1200.0
MEAN_PRIOR = 5.0  # rows: how much a tier of few rows leans on all tiers' mean
MAX_STEPS = 200
TOLERANCE = 1e-2  # of the gradient; further steps change no decision


@dataclass(frozen=True, slots=True)
class Judged:
    """Rows and what is known of their quality: NaN where a tier was not judged.

    `weight` counts single judgements (inverse propensities, trust), 1 for most.
    """

    design: Design
    quality: Floats  # rows x tiers
    weight: Floats  # rows x tiers


@dataclass(frozen=True, slots=True)
class Heads:
    """`shared` and `own` are the two parts of the weights of each tier."""

    mean: Floats
    shared: Floats
    own: Floats  # tiers x weights

    def parts(self, design: Design) -> tuple[Floats, Floats]:
        """What the shared and the own weights predict: (rows,), (rows, tiers)."""
        own = np.column_stack([design.times(weights) for weights in self.own])
        return design.times(self.shared), own


@dataclass(frozen=True, slots=True)
class _Block:
    """The judged rows of one tier: a stretch of rows that share their tiers."""

    tier: int
    design: Design
    target: Floats
    weight: Floats


def fit(judged: Judged, tolerance: float = TOLERANCE) -> Heads:
    """Solve for the weights by conjugate gradients; the same rows, the same heads.

    Rows must be in the order of `patterns`.
    """
    mean = means(judged.quality, judged.weight)
    blocks = blocks_of(judged, mean)
    tiers, width = judged.quality.shape[1], judged.design.width
    own = own_penalties(width, lone=mostly_lone(judged.quality))
    penalty = np.concatenate((np.full(width, SHARED_PENALTY), np.tile(own, tiers)))
    solved = solve(blocks, penalty, tiers, tolerance).reshape(1 + tiers, width)
    return Heads(mean, solved[0], solved[1:])


def own_penalties(width: int, *, lone: bool) -> Floats:
    """Of the weights that a tier has of its own."""
    if not lone:
        return np.full(width, OWN_PENALTY)
    own = np.full(width, LONE_OWN_PENALTY)
    own[BUCKETS + len(CUES) :] = LONE_BEYOND_CUES_PENALTY
    return own


def mostly_lone(quality: Floats) -> bool:
    """Was of most rows one answer judged?"""
    judged = (~np.isnan(quality)).sum(axis=1)
    return bool((judged == 1).mean() > 0.5)


def means(quality: Floats, weight: Floats) -> Floats:
    """Each tier's mean quality, those of few rows drawn toward the mean of all."""
    known = ~np.isnan(quality)
    weights = np.where(known, weight, 0.0)
    sums = np.where(known, quality, 0.0) * weights
    overall = sums.sum() / max(weights.sum(), 1e-9)
    result: Floats = (sums.sum(axis=0) + MEAN_PRIOR * overall) / (
        weights.sum(axis=0) + MEAN_PRIOR
    )
    return result


def patterns(quality: Floats) -> tuple[NDArray[np.int64], Sequence[tuple[int, int]]]:
    """An order that brings rows of the same judged tiers together, and the stretches.

    Stable, so that nothing depends on how rows happened to be spread.
    """
    codes = (~np.isnan(quality)) @ (1 << np.arange(quality.shape[1], dtype=np.int64))
    order = np.argsort(codes, kind="stable")
    cuts = np.flatnonzero(np.diff(codes[order])) + 1
    edges = [0, *cuts.tolist(), len(codes)]
    return order, list(zip(edges[:-1], edges[1:], strict=True))


def blocks_of(judged: Judged, mean: Floats) -> list[_Block]:
    """One block per judged tier and stretch. Rows must be in `patterns` order."""
    _, stretches = patterns(judged.quality)
    blocks = []
    for begin, end in stretches:
        design = judged.design.block(begin, end)
        for tier in range(judged.quality.shape[1]):
            quality = judged.quality[begin:end, tier]
            if not np.isnan(quality[0]):
                weight = np.sqrt(judged.weight[begin:end, tier])
                blocks.append(
                    _Block(tier, design, (quality - mean[tier]) * weight, weight)
                )
    return blocks


def solve(
    blocks: Sequence[_Block], penalty: Floats, tiers: int, tolerance: float
) -> Floats:
    """Conjugate gradients on the normal equations, common words scaled down."""
    scale = 1 / (penalty + diagonal(blocks, tiers))
    weights = np.zeros(len(penalty))
    residuals = [block.target for block in blocks]
    gradient = gather(blocks, residuals, tiers)
    direction = scale * gradient
    size = float(gradient @ direction)
    goal = size * tolerance**2
    for _ in range(MAX_STEPS):
        if size <= goal or not size:
            break
        moves = spread(blocks, direction, tiers)
        curvature = sum(float(move @ move) for move in moves)
        curvature += float(direction @ (penalty * direction))
        step = size / curvature
        weights = weights + step * direction
        residuals = [r - step * move for r, move in zip(residuals, moves, strict=True)]
        gradient = gather(blocks, residuals, tiers) - penalty * weights
        scaled = scale * gradient
        before, size = size, float(gradient @ scaled)
        direction = scaled + size / before * direction
    return weights


def diagonal(blocks: Sequence[_Block], tiers: int) -> Floats:
    """How much each weight alone moves the predictions."""
    parts = np.zeros((1 + tiers, blocks[0].design.width))
    for block in blocks:
        alone = block.design.squares(block.weight)
        parts[0] += alone
        parts[1 + block.tier] += alone
    return parts.ravel()


def spread(blocks: Sequence[_Block], weights: Floats, tiers: int) -> list[Floats]:
    """What the weights change in each block."""
    parts = weights.reshape(1 + tiers, -1)
    return [
        block.design.times(parts[0] + parts[1 + block.tier]) * block.weight
        for block in blocks
    ]


def gather(blocks: Sequence[_Block], residuals: list[Floats], tiers: int) -> Floats:
    """What the blocks' residuals ask of each weight."""
    parts = np.zeros((1 + tiers, blocks[0].design.width))
    for block, residual in zip(blocks, residuals, strict=True):
        asked = block.design.transposed_times(residual * block.weight)
        parts[0] += asked
        parts[1 + block.tier] += asked
    return parts.ravel()
