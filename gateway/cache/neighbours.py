"""Questions that may mean the same: near by their rare words. Proposals, never hits.

Similarity is the Jaccard of the word sets, each word weighted by how rare it is among
the stored questions of one partition (IDF). The search is exact: it misses nothing that
a comparison with every question would find.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import nlargest

from gateway.cache.canonical.english import NEGATIONS

WORD = re.compile(r"[^\W_]+")
# What must be the same, in the same order, for two wordings to be one question.
LITERAL = re.compile(
    r"""\d+(?:[.,]\d+)* | "[^"\n]*" | “[^”\n]*” | `[^`\n]*` | [^\w\s.,?!'’();-]""",
    re.VERBOSE,
)
MATERIAL = re.compile(r":\s|\n")

NOBODY: frozenset[bytes] = frozenset()

# Measured with tracemalloc on CPython 3.11 and rounded up.
QUESTION_OVERHEAD = 1400
WORD_OVERHEAD = 250


@dataclass(frozen=True, slots=True)
class Question:
    """A question's text, its words, and what no other wording may change."""

    text: str
    words: frozenset[str]
    literals: tuple[str, ...]
    negations: int
    names: tuple[str, ...]
    material: str

    @property
    def index_bytes(self) -> int:
        """About what it costs to keep this in the index."""
        return QUESTION_OVERHEAD + WORD_OVERHEAD * len(self.words) + 4 * len(self.text)


def question_of(text: str) -> Question:
    head, *material = MATERIAL.split(text, maxsplit=1)
    tokens = WORD.findall(head)
    words = [token.casefold() for token in tokens]
    denials = sum(word in NEGATIONS for word in words)
    denials += head.casefold().count("n't") + head.casefold().count("n’t")
    return Question(
        text,
        frozenset(words),
        tuple(LITERAL.findall(head)),
        denials + words.count("cannot"),
        tuple(t.casefold() for t in tokens[1:] if t[0].isupper() and t != "I"),
        material[0] if material else "",
    )


def guard(one: Question, other: Question) -> str:
    """What says that these are two questions, however alike their words; or ""."""
    if one.material != other.material:
        return "what they are about differs"
    if one.literals != other.literals:
        return "numbers, signs or quotations differ"
    if one.negations != other.negations:
        return "one of them denies"
    if one.names != other.names:
        return "names or their order differ"
    return ""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A stored question: the id of its entry, and how similar it is."""

    similarity: float
    id: bytes
    question: Question


class NeighbourIndex:
    """Questions by id, found by their words within one partition."""

    def __init__(self) -> None:
        self._places: dict[bytes, tuple[bytes, Question]] = {}
        self._postings: dict[bytes, dict[str, set[bytes]]] = {}
        self._sizes: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self._places)

    def add(self, partition: bytes, id: bytes, question: Question) -> None:
        self.remove(id)
        if not question.words:
            return
        self._places[id] = (partition, question)
        self._sizes[partition] = self._sizes.get(partition, 0) + 1
        postings = self._postings.setdefault(partition, {})
        for word in question.words:
            postings.setdefault(word, set()).add(id)

    def remove(self, id: bytes) -> None:
        if id not in self._places:
            return
        partition, question = self._places.pop(id)
        postings = self._postings[partition]
        for word in question.words:
            postings[word].discard(id)
            if not postings[word]:
                del postings[word]
        self._sizes[partition] -= 1
        if not postings:
            del self._postings[partition], self._sizes[partition]

    def question(self, id: bytes) -> Question | None:
        place = self._places.get(id)
        return place[1] if place else None

    def find(
        self, partition: bytes, question: Question, at_least: float, most: int
    ) -> list[Neighbour]:
        """The nearest questions, the most similar first."""
        postings = self._postings.get(partition)
        if not postings or not question.words:
            return []
        weigh = Weights(postings, self._sizes[partition])
        found = (
            Neighbour(score, id, self._places[id][1])
            for id, shared in self._candidates(postings, question, weigh, at_least)
            if (score := self._score(id, question, shared, weigh)) >= at_least
        )
        return nlargest(most, found, key=lambda each: (each.similarity, each.id))

    def _score(
        self, id: bytes, question: Question, shared: float, weigh: "Weights"
    ) -> float:
        own = weigh.all(question.words)
        return shared / (own + weigh.all(self._places[id][1].words) - shared)

    def _candidates(
        self,
        postings: dict[str, set[bytes]],
        question: Question,
        weigh: "Weights",
        at_least: float,
    ) -> Iterator[tuple[bytes, float]]:
        """Ids with the weight they share, when that may be enough.

        Who is similar enough shares `needed` of our weight; so it has one of our rarest
        words, and after each further word what is left must still suffice.
        """
        words = sorted(question.words, key=lambda word: len(postings.get(word, ())))
        left = weigh.all(question.words)
        needed = at_least * left * (1 - 1e-9)
        shared: dict[bytes, float] = {}
        for word in words:
            ids, weight = postings.get(word, NOBODY), weigh.one(word)
            if left >= needed:  # who has none of the words before may yet suffice
                for id in ids:
                    shared[id] = shared.get(id, 0.0) + weight
            else:
                missing = needed - left
                shared = {
                    id: weight_so_far + (weight if id in ids else 0.0)
                    for id, weight_so_far in shared.items()
                    if weight_so_far >= missing
                }
            left -= weight
        for id, weight in shared.items():
            if weight >= needed:
                yield id, weight


class Weights:
    """How much each word tells, among so many questions."""

    def __init__(self, postings: dict[str, set[bytes]], size: int) -> None:
        self._postings = postings
        self._size = size
        self._known: dict[str, float] = {}

    def one(self, word: str) -> float:
        weight = self._known.get(word)
        if weight is None:
            count = len(self._postings.get(word, ())) or 0.5
            weight = self._known[word] = math.log1p(self._size / count)
        return weight

    def all(self, words: frozenset[str]) -> float:
        return sum(map(self.one, words))
