from math import isclose

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.cache.canonical import frame
from gateway.cache.jaccard import JaccardIndex, WordSet, similarity, word_set_of


def words(text):
    return word_set_of(text, frame(text))


LONG = "How do I bake sourdough bread with rye flour, olive oil and sea salt?"


def test_one_more_word_among_many_is_similar():
    longer = (
        "How do I bake sourdough bread with rye flour, olive oil and fine sea salt?"
    )
    assert isclose(similarity(words(LONG), words(longer)), 9 / 10)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Should I take aspirin?", "Should I not take aspirin?"),
        ("Does Alice owe Bob?", "Does Bob owe Alice?"),
        ("Convert 15 USD to EUR", "Convert 95 USD to EUR"),
        ("What is 2+2?", "What is 2+3?"),
        ("What is 2+2?", "What is 2*2?"),
        ("How far is it from Paris to Rome?", "How far is it from Rome to Paris?"),
        ("What is the capital of France?", "What is the capital of Spain?"),
        ('How long is "the cat"?', 'How long is "the dog"?'),
        (LONG, LONG.replace("rye", "spelt")),
        (LONG, LONG.replace("sea salt", "salt sea")),
        (LONG, LONG.replace("How do I", "Why do I")),
        (LONG, LONG.replace("with", "without")),
        (LONG, LONG.replace("and", "or")),
        (LONG, LONG.replace("sourdough", "Berlin sourdough")),
    ],
)
def test_what_decides_must_be_equal_however_alike_the_rest_is(one, other):
    assert similarity(words(one), words(other)) == 0.0


def test_an_empty_word_set_is_similar_to_nothing():
    index = JaccardIndex()
    index.add(b"p", b"1", words("2+2"))
    assert words("2+2").words == frozenset()
    assert index.find(b"p", words("2+2"), threshold=0.0) is None
    index.remove(b"1")


def test_the_index_finds_the_most_similar_within_its_partition_only():
    index = JaccardIndex()
    index.add(b"p", b"near", words(LONG.replace("salt", "salt crystals")))
    index.add(b"p", b"far", words(LONG.replace("salt", "salt crystals bought cheap")))
    index.add(b"other", b"same", words(LONG))
    assert index.find(b"p", words(LONG), threshold=0.5) == (b"near", 9 / 10)
    assert index.find(b"p", words(LONG), threshold=0.95) is None
    assert index.find(b"empty", words(LONG), threshold=0.0) is None


def test_a_removed_question_is_gone_and_leaves_nothing_behind():
    index = JaccardIndex()
    index.add(b"p", b"1", words(LONG))
    index.add(b"p", b"1", words("How do I fry an egg?"))
    assert index.find(b"p", words(LONG), threshold=0.5) is None
    index.remove(b"1")
    index.remove(b"1")
    assert index.find(b"p", words("How do I fry an egg?"), threshold=0.5) is None
    assert (len(index), index._postings) == (0, {})


SETS = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=7, unique=True).map(
    lambda letters: WordSet(tuple(sorted(letters)), frozenset(letters), ())
)


@settings(max_examples=100)
@given(st.lists(SETS, max_size=12), SETS, st.floats(0.05, 1))
def test_the_index_misses_nothing_that_a_full_scan_finds(stored, asked, threshold):
    index = JaccardIndex()
    for number, question in enumerate(stored):
        index.add(b"p", b"%d" % number, question)
    best = max((similarity(asked, question) for question in stored), default=0.0)
    found = index.find(b"p", asked, threshold)
    assert (found[1] if found else 0.0) == (best if best >= threshold else 0.0)
