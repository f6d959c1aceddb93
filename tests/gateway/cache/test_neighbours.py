"""Near questions: nothing is missed, and guards see what similarity doesn't."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cache.neighbours import NeighbourIndex, guard, question_of

PART = b"partition"
TEXTS = st.lists(
    st.sampled_from(
        [
            "what",
            "how",
            "is",
            "the",
            "egg",
            "yolk",
            "soft",
            "boil",
            "cook",
            "long",
            "capital",
            "of",
        ]
    ),
    min_size=1,
    max_size=7,
).map(" ".join)


def index_of(texts: list[str]) -> NeighbourIndex:
    index = NeighbourIndex()
    for number, text in enumerate(texts):
        index.add(PART, b"%d" % number, question_of(text))
    return index


def similarity_by_hand(one: str, other: str, stored: list[str]) -> float:
    def weight(word: str) -> float:
        count = sum(word in question_of(text).words for text in stored) or 0.5
        return math.log1p(len(stored) / count)

    left, right = question_of(one).words, question_of(other).words
    return sum(map(weight, left & right)) / sum(map(weight, left | right))


@given(
    st.lists(TEXTS, min_size=1, max_size=12), TEXTS, st.sampled_from([0.3, 0.5, 0.8])
)
def test_the_index_misses_nothing_that_a_full_scan_finds(stored, asked, at_least):
    index = index_of(stored)
    found = index.find(PART, question_of(asked), at_least, most=100)
    scores = {
        b"%d" % number: similarity_by_hand(asked, text, stored)
        for number, text in enumerate(stored)
    }
    # Within a rounding error of the bound either is right.
    sure = {id for id, score in scores.items() if score > at_least + 1e-9}
    possible = {id for id, score in scores.items() if score >= at_least - 1e-9}
    assert sure <= {each.id for each in found} <= possible
    for each in found:
        assert each.similarity == pytest.approx(scores[each.id])
    assert found == sorted(found, key=lambda each: -each.similarity) or len(
        {each.similarity for each in found}
    ) < len(found)


def test_rare_words_count_for_more_than_common_ones():
    stored = [f"What is the capital of country{chr(97 + n)}?" for n in range(20)]
    index = index_of([*stored, "Which river flows through Xanadu?"])
    far = index.find(PART, question_of("What is the capital of Xanadu?"), 0.0, 50)
    near = {each.question.text: each.similarity for each in far}
    assert near[stored[0]] < 0.6
    assert near["Which river flows through Xanadu?"] > 0.1


def test_a_removed_question_is_gone_and_leaves_nothing_behind():
    index = index_of(["How long do I boil an egg?", "How long do I cook an egg?"])
    for number in range(2):
        index.remove(b"%d" % number)
    index.remove(b"0")
    assert index.find(PART, question_of("How long do I boil an egg?"), 0.1, 5) == []
    assert not index._postings and not index._sizes and not len(index)


def test_another_partition_is_never_looked_at():
    index = index_of(["How long do I boil an egg?"])
    assert not index.find(b"other", question_of("How long do I boil an egg?"), 0.0, 5)


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        ("Is 5 km far?", "Is 50 km far?", "numbers"),
        ("What is 2+3?", "What is 2*3?", "numbers"),
        ('Define "set" in Go', 'Define "map" in Go', "numbers"),
        ("Is it safe to eat?", "Is it not safe to eat?", "one of them denies"),
        ("Why can dogs eat it?", "Why can't dogs eat it?", "one of them denies"),
        ("Why can dogs eat it?", "Why cannot dogs eat it?", "one of them denies"),
        ("How far is Paris from Rome?", "How far is Rome from Paris?", "names"),
        ("Where is the Seine?", "Where is the Rhine?", "names"),
        ("Summarise: cats purr", "Summarise: dogs bark", "what they are about"),
        ("Sort it\nb, a", "Sort it\nb, c", "what they are about"),
    ],
)
def test_a_guard_names_what_makes_two_questions_of_them(one, other, reason):
    assert guard(question_of(one), question_of(other)).startswith(reason)


def test_no_guard_stands_between_two_wordings_of_one_question():
    one = question_of("How long should I boil an egg for a soft yolk?")
    other = question_of("for how long do I cook an egg, if I want the yolk soft?")
    assert guard(one, other) == ""
