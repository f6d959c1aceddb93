"""Which kinds of request a prompt is, as shares that add up to one.

A linear score over the same one-pass features that routers read: how many of an
intent's words and pairs are there, and its cues, made shares by a soft maximum.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.intent_words import cue_weights, phrases_of
from routing.learned.design import Floats
from routing.learned.features import BUCKETS, CUES, Prompt, Row, row_of

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
                    raise ValueError(f"{name!r} is no cue. There is: {', '.join(CUES)}")
                self._cues[CUES.index(name), place] = weight

    def mixture(self, row: Row) -> Floats:
        """The share of each intent, in their order."""
        cues = np.minimum(row.cues, MOST_OF_A_CUE) @ self._cues
        found = self._words[row.buckets].sum(axis=0) + cues + self._bias
        pull = np.exp(SHARPNESS * np.clip(found, 0.0, MOST))
        shares: Floats = pull / pull.sum()
        return shares

    def mixtures(self, rows: Sequence[Row]) -> Floats:
        return np.array([self.mixture(row) for row in rows])


def bucket_of(phrase: str) -> NDArray[np.uint16]:
    """Where rows keep a word, or a pair of neighbours."""
    both = row_of(Prompt(phrase, len(phrase))).buckets
    words = phrase.split()
    if len(words) < 2:
        return both
    alone = [row_of(Prompt(word, len(word))).buckets for word in words]
    return np.setdiff1d(both, np.concatenate(alone))
