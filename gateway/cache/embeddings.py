"""Questions by the direction of their embedding: proposals, never hits.

Of an embedding only on which side of random planes it lies is kept (SimHash; Charikar,
"Similarity Estimation Techniques from Rounding Algorithms", 2002): 128 bytes whatever
the model, compared in one pass over all of a partition. The cosine read off them is
right to about 0.03, enough for what a judge decides.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BITS = 1024
EMBEDDED_OVERHEAD = 500  # bytes of an entry; measured with tracemalloc and rounded up
FIRST_COLUMNS = 4

Signature = NDArray[np.uint64]  # BITS / 64 of them


class Placed(NamedTuple):
    """Where a model puts a question. Those of two models can't be compared."""

    model: str
    signature: Signature


def signature_of(embedding: Sequence[float]) -> Signature:
    """Raises ValueError for what has no direction."""
    values = np.asarray(embedding, np.float32)
    if values.ndim != 1 or not np.isfinite(values).all() or not values.any():
        raise ValueError("no direction")
    sides = planes(len(values)) @ (values / np.abs(values).max()) > 0
    return np.packbits(sides).view(np.uint64)


@lru_cache(maxsize=2)
def planes(dimensions: int) -> NDArray[np.float32]:
    """The same in every process, so that signatures may be compared."""
    random = np.random.default_rng(dimensions)
    return random.standard_normal((BITS, dimensions), np.float32)


class EmbeddingIndex:
    """Signatures by id, compared within one partition."""

    def __init__(self) -> None:
        self._partitions: dict[bytes, Columns] = {}
        self._places: dict[bytes, bytes] = {}

    def __len__(self) -> int:
        return len(self._places)

    def add(self, partition: bytes, id: bytes, signature: Signature) -> None:
        self.remove(id)
        self._places[id] = partition
        self._partitions.setdefault(partition, Columns()).append(id, signature)

    def remove(self, id: bytes) -> None:
        partition = self._places.pop(id, None)
        if partition is None:
            return
        columns = self._partitions[partition]
        columns.remove(id)
        if not columns.ids:
            del self._partitions[partition]

    def find(
        self, partition: bytes, signature: Signature, at_least: float, most: int
    ) -> list[tuple[float, bytes]]:
        """The cosine and the id of the nearest, the most similar first."""
        columns = self._partitions.get(partition)
        if columns is None:
            return []
        apart = columns.bits_apart(signature)
        near = np.flatnonzero(apart <= math.acos(at_least) / math.pi * BITS)
        best = near[np.argsort(apart[near], kind="stable")][:most]
        return [
            (math.cos(math.pi * int(apart[at]) / BITS), columns.ids[at]) for at in best
        ]


class Columns:
    """Signatures in columns, as numpy adds up rows several times faster; who leaves is
    replaced by the last one."""

    def __init__(self) -> None:
        self.ids: list[bytes] = []
        self._at: dict[bytes, int] = {}
        self._signatures = np.empty((BITS // 64, FIRST_COLUMNS), np.uint64)

    def append(self, id: bytes, signature: Signature) -> None:
        at = len(self.ids)
        if at == self._signatures.shape[1]:
            more = np.empty_like(self._signatures)
            self._signatures = np.concatenate((self._signatures, more), axis=1)
        self._signatures[:, at] = signature
        self._at[id] = at
        self.ids.append(id)

    def remove(self, id: bytes) -> None:
        at, last = self._at.pop(id), self.ids.pop()
        if last != id:
            self._signatures[:, at] = self._signatures[:, len(self.ids)]
            self.ids[at], self._at[last] = last, at

    def bits_apart(self, signature: Signature) -> NDArray[np.uint16]:
        differ = self._signatures[:, : len(self.ids)] ^ signature[:, None]
        return np.bitwise_count(differ).sum(axis=0, dtype=np.uint16)
