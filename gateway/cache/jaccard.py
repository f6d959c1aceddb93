"""Similar word sets, guarded: the reference's matching, without its wrong answers.

Word sets forget what decides: the order of names, "not", numbers. So all of that must
be equal first, the words both questions have must come in the same order, and one
question may only have more words than the other, never another word in its place.
"""

import math
import re
from dataclasses import dataclass

from gateway.cache.canonical import Frame
from gateway.cache.canonical.english import (
    AUXILIARIES,
    COMMON,
    NEGATIONS,
    QUESTION_WORDS,
    word_set,
)
from gateway.cache.canonical.tokens import is_word

LIGHT = word_set("a an the of in on at for some any please me")
# Words that turn a question round although they are short and common.
DECISIVE = (
    QUESTION_WORDS
    | AUXILIARIES
    | NEGATIONS
    | word_set("and or but if from to before after with than more most less least only")
    | word_set("up down over under between i you he she we they my your his her our")
)

CAPITALISED = re.compile(r"(?<![^\W\d_])[A-Z][^\W\d_]*")

# Measured with tracemalloc on CPython 3.11 and rounded up.
QUESTION_OVERHEAD = 1200
WORD_OVERHEAD = 300


@dataclass(frozen=True, slots=True)
class WordSet:
    """The words of a question, in order and as a set, and what must be equal."""

    ordered: tuple[str, ...]
    words: frozenset[str]
    guards: tuple[str, ...]

    @property
    def index_bytes(self) -> int:
        """About what it costs to keep this in the index."""
        return (
            QUESTION_OVERHEAD
            + WORD_OVERHEAD * len(self.words)
            + sum(map(len, self.guards))
        )


def word_set_of(text: str, frame: Frame) -> WordSet:
    """The word set of a question, from its canonical form and its names."""
    ordered = tuple(t for t in frame.core if is_free(t) and t not in LIGHT)
    guarded = (token for token in frame.core if not is_free(token))
    guards = (frame.material, *names(text), "", *guarded)
    return WordSet(ordered, frozenset(ordered), guards)


def is_free(token: str) -> bool:
    return is_word(token) and token.islower() and token not in DECISIVE


def names(text: str) -> list[str]:
    """Words with a capital that only a name explains, in their order."""
    capitals = [word.lower() for word in CAPITALISED.findall(text.strip()[1:])]
    return [word for word in capitals if word not in COMMON]


def similarity(one: WordSet, other: WordSet) -> float:
    """Jaccard of the word sets, 0 when a guard stands between them."""
    shared = one.words & other.words
    if not shared or one.guards != other.guards:
        return 0.0
    if len(shared) < min(len(one.words), len(other.words)):
        return 0.0
    if in_common(one, shared) != in_common(other, shared):
        return 0.0
    return len(shared) / len(one.words | other.words)


def in_common(question: WordSet, shared: frozenset[str]) -> list[str]:
    return [word for word in question.ordered if word in shared]


Place = tuple[bytes, tuple[str, ...]]  # partition and guards: equal before all else
NOBODY: frozenset[bytes] = frozenset()


class JaccardIndex:
    """Word sets by id, found by word within one partition and one set of guards."""

    def __init__(self) -> None:
        self._places: dict[bytes, tuple[Place, WordSet]] = {}
        self._postings: dict[Place, dict[str, set[bytes]]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, id: bytes) -> bool:
        return id in self._places

    def add(self, partition: bytes, id: bytes, question: WordSet) -> None:
        self.remove(id)
        if not question.words:
            return  # similar to nothing, or to everything
        place = (partition, question.guards)
        self._places[id] = (place, question)
        postings = self._postings.setdefault(place, {})
        for word in question.words:
            postings.setdefault(word, set()).add(id)

    def remove(self, id: bytes) -> None:
        if id not in self._places:
            return
        place, question = self._places.pop(id)
        postings = self._postings[place]
        for word in question.words:
            postings[word].discard(id)
            if not postings[word]:
                del postings[word]
        if not postings:
            del self._postings[place]

    def find(
        self, partition: bytes, question: WordSet, threshold: float
    ) -> tuple[bytes, float] | None:
        """The most similar question at or above the threshold, and how similar."""
        place = (partition, question.guards)
        found = [
            (similarity(question, self._places[id][1]), id)
            for id in self._candidates(place, question, threshold)
        ]
        score, id = max(found, default=(0.0, b""))
        return (id, score) if score and score >= threshold else None

    def _candidates(
        self, place: Place, question: WordSet, threshold: float
    ) -> frozenset[bytes]:
        """Ids that share one of the rarest words.

        Who shares `needed` of n words shares one of any n - needed + 1 of them.
        """
        postings = self._postings.get(place, {})
        size = len(question.words)
        needed = max(1, math.ceil(threshold * size - 1e-9))
        rarest = sorted((postings.get(w, NOBODY) for w in question.words), key=len)
        return NOBODY.union(*rarest[: size - needed + 1])
