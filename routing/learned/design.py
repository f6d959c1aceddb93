"""Feature rows as the matrix that the heads are fitted on: sparse words, dense cues."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.learned.features import BUCKETS, CUES, Row
from routing.learned.intents import Intents

Floats = NDArray[np.float64]

CUE_WEIGHT = 0.1  # of a cue one deviation from its mean, beside the words' sum of 1
CLIP = 4.0  # deviations; a prompt unlike any other must not decide by its length
# What length says depends on what a prompt is about, so that cues and intents count
# once more by it. Both weights are settled by cross-validation; the plateau is wide.
LENGTH_WEIGHT = 0.5
INTENT_WEIGHT = 1.0
TOLD = 0.05  # smaller shares of an intent aren't worth a reader's time
CHARACTERS = CUES.index("characters")


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
        # np.clip gives the same and is slower on one row.
        return np.minimum(np.maximum(scaled, -CLIP), CLIP) * np.float32(CUE_WEIGHT)


@dataclass(frozen=True, slots=True)
class Dense:
    """What heads read beside the words: the cues, the cues by the prompt's length, the
    shares of the intents, and those by its length.

    `intents` are those of the time of training, so that a router goes on meaning what
    it was measured by when an operator edits them. None in routers of before there
    were any: they read the cues alone.
    """

    scale: Scale
    intents: Intents | None = None

    @property
    def width(self) -> int:
        if self.intents is None:
            return len(CUES)
        return 2 * (len(CUES) + len(self.intents.kinds))

    def of(self, row: Row) -> NDArray[np.float32]:
        cues = self.scale.apply(row.cues)
        if self.intents is None:
            return cues
        return joined(cues, self.intents.mixture(row))

    def told(self, read: NDArray[np.float32]) -> dict[str, float]:
        """The intents that a request was taken for, of what `of` read of it."""
        if self.intents is None:
            return {}
        kinds, begin = self.intents.kinds, 2 * len(CUES)
        shares = (read[begin : begin + len(kinds)] / INTENT_WEIGHT).tolist()
        named = zip(kinds, shares, strict=True)
        return {kind.slug: round(share, 3) for kind, share in named if share >= TOLD}

    def of_all(self, rows: Sequence[Row]) -> NDArray[np.float32]:
        """The same, a line for each row."""
        cues = self.scale.apply(np.array([row.cues for row in rows]))
        if self.intents is None:
            return cues
        return joined(cues, self.intents.mixtures(rows))


def joined(cues: NDArray[np.float32], shares: Floats) -> NDArray[np.float32]:
    """Scaled cues and the shares of intents, and both once more by the length."""
    length = cues[..., CHARACTERS, None] / np.float32(CUE_WEIGHT)
    kinds = INTENT_WEIGHT * shares.astype(np.float32)
    by_length = np.float32(LENGTH_WEIGHT) * length * cues
    return np.concatenate((cues, by_length, kinds, kinds * length), axis=-1)


@dataclass(frozen=True, slots=True)
class Design:
    """Rows of words (each row's squares sum to 1), and what else heads read.

    `starts` are the places in `buckets` where rows begin. Every row has at least one
    bucket: an empty one gets the last, which no weight is ever learned for alone.
    """

    buckets: NDArray[np.int64]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    dense: Floats

    @classmethod
    def of(cls, rows: Sequence[Row], dense: Dense) -> "Design":
        lists = [row.buckets if len(row.buckets) else EMPTY for row in rows]
        lengths = np.array([len(buckets) for buckets in lists], np.int64)
        starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
        buckets = np.concatenate(lists).astype(np.int64)
        return cls(buckets, starts, lengths, dense.of_all(rows).astype(np.float64))

    @property
    def width(self) -> int:
        """How many weights a head has."""
        return BUCKETS + self.dense.shape[1]

    def times(self, weights: Floats) -> Floats:
        """What each row predicts with these weights, first of buckets."""
        sums = np.add.reduceat(weights[self.buckets], self.starts)
        return sums / np.sqrt(self.lengths) + self.dense @ weights[BUCKETS:]

    def transposed_times(self, residuals: Floats) -> Floats:
        """How each weight would change the residuals."""
        shares = np.repeat(residuals / np.sqrt(self.lengths), self.lengths)
        sums = np.bincount(self.buckets, shares, minlength=BUCKETS)
        return np.concatenate((sums, residuals @ self.dense))

    def squares(self, weight: Floats) -> Floats:
        """The sum over rows of each entry's square, rows counting by `weight`."""
        shares = np.repeat(weight**2 / self.lengths, self.lengths)
        sums = np.bincount(self.buckets, shares, minlength=BUCKETS)
        return np.concatenate((sums, weight**2 @ self.dense**2))

    def block(self, begin: int, end: int) -> "Design":
        """The rows from `begin` to `end`, without copying."""
        first = self.starts[begin]
        last = self.starts[end - 1] + self.lengths[end - 1]
        return Design(
            self.buckets[first:last],
            self.starts[begin:end] - first,
            self.lengths[begin:end],
            self.dense[begin:end],
        )


EMPTY = np.array([BUCKETS - 1], np.uint16)
