import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cache.embeddings import EmbeddingIndex, signature_of

PART = b"partition"


def directions(count: int, dimensions: int = 384, seed: int = 7) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, dimensions))


def turned(start: np.ndarray, cosine: float) -> np.ndarray:
    """A direction with this cosine to `start`."""
    start = start / np.linalg.norm(start)
    other = directions(1, len(start), seed=8)[0]
    across = other - (other @ start) * start
    across /= np.linalg.norm(across)
    return cosine * start + np.sqrt(1 - cosine**2) * across


def index_of(vectors: np.ndarray) -> EmbeddingIndex:
    index = EmbeddingIndex()
    for number, each in enumerate(vectors):
        index.add(PART, b"%d" % number, signature_of(each))
    return index


@pytest.mark.parametrize("cosine", [0.99, 0.9, 0.8, 0.5, 0.0, -0.9])
@pytest.mark.parametrize("dimensions", [3, 384, 1536])
def test_the_cosine_is_read_off_the_signatures(cosine, dimensions):
    start = directions(1, dimensions)[0]
    index = index_of(start[None])

    found = index.find(PART, signature_of(turned(start, cosine)), -1.0, 1)

    assert found[0][0] == pytest.approx(cosine, abs=0.08)


def test_length_says_nothing_only_direction():
    (start,) = directions(1)

    assert (signature_of(start) == signature_of(start * 1e-30)).all()
    assert (signature_of(start) == signature_of(start * 1e30)).all()


def test_the_nearest_come_first_and_no_others():
    start = directions(1)[0]
    index = index_of(np.stack([turned(start, c) for c in (0.2, 0.97, 0.7, 0.9)]))

    found = index.find(PART, signature_of(start), 0.8, 5)

    assert [id for _, id in found] == [b"1", b"3"]
    assert index.find(PART, signature_of(start), 0.8, 1)[0][1] == b"1"


def test_another_partition_is_never_looked_at():
    (start,) = directions(1)
    index = index_of(start[None])

    assert index.find(b"other", signature_of(start), -1.0, 5) == []


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=120))
def test_who_is_removed_is_gone_and_the_others_stay_where_they_were(steps):
    vectors = directions(31, 16)
    index, there = EmbeddingIndex(), set()
    for adding, number in steps:
        id = b"%d" % number
        if adding:
            index.add(PART, id, signature_of(vectors[number]))
            there.add(number)
        else:
            index.remove(id)
            there.discard(number)
    for number in range(31):
        found = index.find(PART, signature_of(vectors[number]), 0.9999, 31)
        assert (b"%d" % number in {id for _, id in found}) == (number in there)
    assert len(index) == len(there)
    assert bool(index._partitions) == bool(there)


@pytest.mark.parametrize(
    "embedding",
    [[0.0, 0.0], [float("nan"), 1.0], [float("inf"), 1.0], [], [[1.0], [2.0]], "AAAA"],
)
def test_what_has_no_direction_is_refused(embedding):
    with pytest.raises(ValueError):
        signature_of(embedding)
