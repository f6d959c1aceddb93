"""Feature rows as the sparse matrix that the heads are fitted on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.learned.features import BUCKETS, CUES, Row

Floats = NDArray[np.float64]

CUE_WEIGHT = 0.1  # of a cue one deviation from its mean, beside the words' sum of 1
CLIP = 4.0  # deviations; a prompt unlike any other must not decide by its length


@dataclass(frozen=True, slots=True)
class Scale:
    """What makes the cues of different kinds comparable."""

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]

    @classmethod
    def of(cls, cues: NDArray[np.float32]) -> "Scale":
        return cls(cues.mean(axis=0), np.maximum(cues.std(axis=0), 1e-3))

    def apply(self, cues: NDArray[np.float32]) -> NDArray[np.float32]:
        scaled = (cues - self.mean) / self.deviation
        return np.clip(scaled, -CLIP, CLIP) * np.float32(CUE_WEIGHT)


@dataclass(frozen=True, slots=True)
class Design:
    """Rows of words (each row's squares sum to 1) and of scaled cues.

    `starts` are the places in `buckets` where rows begin. Every row has at least one
    bucket: an empty one gets the last, which no weight is ever learned for alone.
    """

    buckets: NDArray[np.int64]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    cues: Floats

    @classmethod
    def of(cls, rows: Sequence[Row], scale: Scale) -> "Design":
        lists = [row.buckets if len(row.buckets) else EMPTY for row in rows]
        lengths = np.array([len(buckets) for buckets in lists], np.int64)
        starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
        cues = scale.apply(np.array([row.cues for row in rows])).astype(np.float64)
        return cls(np.concatenate(lists).astype(np.int64), starts, lengths, cues)

    def times(self, weights: Floats) -> Floats:
        """What each row predicts with these weights, of buckets and then of cues."""
        sums = np.add.reduceat(weights[self.buckets], self.starts)
        return sums / np.sqrt(self.lengths) + self.cues @ weights[BUCKETS:]

    def transposed_times(self, residuals: Floats) -> Floats:
        """How each weight would change the residuals."""
        shares = np.repeat(residuals / np.sqrt(self.lengths), self.lengths)
        sums = np.bincount(self.buckets, shares, minlength=BUCKETS)
        return np.concatenate((sums, residuals @ self.cues))

    def squares(self, weight: Floats) -> Floats:
        """The sum over rows of each entry's square, rows counting by `weight`."""
        shares = np.repeat(weight**2 / self.lengths, self.lengths)
        sums = np.bincount(self.buckets, shares, minlength=BUCKETS)
        return np.concatenate((sums, weight**2 @ self.cues**2))

    def block(self, begin: int, end: int) -> "Design":
        """The rows from `begin` to `end`, without copying."""
        first = self.starts[begin]
        last = self.starts[end - 1] + self.lengths[end - 1]
        return Design(
            self.buckets[first:last],
            self.starts[begin:end] - first,
            self.lengths[begin:end],
            self.cues[begin:end],
        )


EMPTY = np.array([BUCKETS - 1], np.uint16)
WEIGHTS = BUCKETS + len(CUES)
