"""Stored questions that may mean the same as another one: by their words, and by
their embeddings where an operator named a model for that."""

from collections.abc import Iterator

from gateway.cache.embeddings import EMBEDDED_OVERHEAD, EmbeddingIndex, Placed
from gateway.cache.matching import CacheKeys
from gateway.cache.neighbours import Neighbour, NeighbourIndex, Question, guard

NEAR = 0.5  # similarity of words from which a stored question is proposed
NEAR_EMBEDDED = 0.8  # and the cosine
PROPOSALS = 5  # of so many nearest ones, the first that no guard refuses


class Questions:
    """The stored questions, by their canonical keys."""

    def __init__(self) -> None:
        self._words, self._embeddings = NeighbourIndex(), EmbeddingIndex()

    def add(self, keys: CacheKeys) -> None:
        if keys.question and keys.rest and keys.canonical:
            self._words.add(keys.rest, keys.canonical, keys.question)

    def place(self, keys: CacheKeys, placed: Placed) -> None:
        """Where this question's embedding lies, while its answer is stored."""
        if keys.rest and keys.canonical and self._words.question(keys.canonical):
            where = partition_of(keys.rest, placed)
            self._embeddings.add(where, keys.canonical, placed.signature)

    def remove(self, key: bytes) -> None:
        self._words.remove(key)
        self._embeddings.remove(key)

    def proposed(self, keys: CacheKeys, placed: Placed | None) -> Iterator[Neighbour]:
        """Those near enough for a judge to be asked, by words before by embeddings."""
        yield from self.near(keys, NEAR, PROPOSALS)
        if placed is None or keys.rest is None:
            return
        where = partition_of(keys.rest, placed)
        found = self._embeddings.find(where, placed.signature, NEAR_EMBEDDED, PROPOSALS)
        for similarity, id in found:
            if question := self._words.question(id):
                yield Neighbour(similarity, id, question)

    def near(self, keys: CacheKeys, at_least: float, most: int) -> list[Neighbour]:
        """The nearest by their words, all else in the request equal."""
        if keys.rest is None or keys.question is None:
            return []
        return self._words.find(keys.rest, keys.question, at_least, most)


def verdict(keys: CacheKeys, near: Neighbour) -> str:
    """Why a stored question's answer is not given to this one, or what would be."""
    if near.id == keys.canonical:
        return "the same question"
    if keys.question and (refused := guard(keys.question, near.question)):
        return f"refused: {refused}"
    if near.similarity < NEAR:
        return f"too far to be proposed: below {NEAR:.2f}"
    return "no guard refuses: a judge would be asked"


def partition_of(rest: bytes, placed: Placed) -> bytes:
    return rest + placed.model.encode()


def index_bytes(question: Question, *, embedded: bool) -> int:
    """About what it costs to propose this question."""
    return question.index_bytes + (EMBEDDED_OVERHEAD if embedded else 0)
