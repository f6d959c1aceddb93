"""Which kinds of request a prompt is, as shares that add up to one.

A linear score over the same one-pass features that routers read: how many of an
intent's words and pairs are there, and its cues, made shares by a soft maximum.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.intent_words import cue_weights, phrases_of, unknown_cue
from routing.learned.features import BUCKETS, CUES, Prompt, Row, row_of

Floats = NDArray[np.float64]

SHARPNESS = 2.0  # per word found
MOST = 6.0  # words that count
MOST_OF_A_CUE = 3.0


@dataclass(frozen=True, slots=True)
class Kind:
    """An intent as the admin describes it. `key` is its row's."""

    key: int
    slug: str
    words: str = ""
    cues: str = ""
    bias: float = 0.0


class Intents:
    def __init__(self, kinds: Sequence[Kind]) -> None:
        """Raises ValueError for words or cues that can't be read."""
        self.kinds = tuple(kinds)
        self._words = np.zeros((BUCKETS, len(self.kinds)), np.float32)
        self._cues = np.zeros((len(CUES), len(self.kinds)), np.float32)
        self._bias = np.array([kind.bias for kind in self.kinds])
        for place, kind in enumerate(self.kinds):
            for phrase in phrases_of(kind.words):
                self._words[bucket_of(phrase), place] = 1.0
            for name, weight in cue_weights(kind.cues).items():
                if name not in CUES:
                    raise ValueError(unknown_cue(name, CUES))
                self._cues[CUES.index(name), place] = weight
        if not (np.isfinite(self._cues).all() and np.isfinite(self._bias).all()):
            raise ValueError("A weight or a bias is no number.")

    def mixture(self, row: Row) -> Floats:
        """The share of each intent, in their order."""
        words = np.add.reduce(self._words.take(row.buckets, axis=0))
        return self._shares(words, row.cues)

    def mixtures(self, rows: Sequence[Row]) -> Floats:
        """The same, a line for each row."""
        lengths = np.array([len(row.buckets) for row in rows])
        some = np.flatnonzero(lengths)  # `reduceat` knows no empty stretch
        words = np.zeros((len(rows), len(self.kinds)), np.float32)
        if len(some):
            every = self._words.take(np.concatenate([r.buckets for r in rows]), axis=0)
            starts = (np.cumsum(lengths) - lengths)[some]
            words[some] = np.add.reduceat(every, starts)
        return self._shares(words, np.array([row.cues for row in rows]))

    def _shares(self, words: NDArray[np.float32], cues: NDArray[np.float32]) -> Floats:
        found = words + np.minimum(cues, MOST_OF_A_CUE) @ self._cues + self._bias
        # np.clip gives the same and is slower on one row.
        pull = np.exp(SHARPNESS * np.minimum(np.maximum(found, 0.0), MOST))
        shares: Floats = pull / np.add.reduce(pull, axis=-1, keepdims=True)
        return shares


def bucket_of(phrase: str) -> NDArray[np.uint16]:
    """Where rows keep a word, or a pair of neighbours."""
    both = row_of(Prompt(phrase, len(phrase))).buckets
    words = phrase.split()
    if len(words) < 2:
        return both
    alone = [row_of(Prompt(word, len(word))).buckets for word in words]
    return np.setdiff1d(both, np.concatenate(alone))
