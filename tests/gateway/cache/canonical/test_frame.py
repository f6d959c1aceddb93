from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.cache.canonical import Frame, frame, refusal
from gateway.cache.canonical.frame import (
    READING,
    RULES,
    applied,
    canonical_line,
    settled,
)
from gateway.cache.canonical.tokens import tokenise
from gateway.cache.canonical.typos import WORDS

CAPITAL = "What is the capital of France?"


def test_the_readme_example_is_one_question_in_two_wordings():
    assert frame(CAPITAL) == frame("What's France's capital city?")
    assert frame(CAPITAL) == Frame(("capital", "of", "france"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (CAPITAL, "How do I write Go code?"),
        (CAPITAL, "What is the capital of Spain?"),
        ("What is 2+2?", "What is 2+3?"),
        ("Should I take aspirin?", "Should I not take aspirin?"),
        ("Is aspirin safe?", "Is aspirin not safe?"),
        ("Convert 15 USD to EUR", "Convert 95 USD to EUR"),
        ("Does Alice owe Bob money?", "Does Bob owe Alice money?"),
        ("How far is it from Paris to Rome?", "How far is it from Rome to Paris?"),
        ("Is port 22 open by default?", "Is port 22 closed by default?"),
        ("Can I take it before dinner?", "Can I take it after dinner?"),
        ("Who is my boss?", "Who is your boss?"),
        ("Who runs Toyota?", "Who ran Toyota?"),
        ("May I eat rice?", "Must I eat rice?"),
        ("Explain gravity: the dog", "Explain gravity: a dog"),
        ('How long is "ab"?', 'How long is "AB"?'),
        ("What is `a  b`?", "What is `a b`?"),
        ("Is 5 > 3?", "Is 5 < 3?"),
        ("What is 1.5 times 2?", "What is 15 times 2?"),
    ],
)
def test_another_question_has_another_frame(one, other):
    assert frame(one) is not None and frame(other) is not None
    assert frame(one) != frame(other)


# What the rules are about, in any order: half of it is nonsense, and all of it typed.
WORDS_OF_RULES = sorted(
    {word for rule in RULES for pair in rule.same for word in " ".join(pair).split()}
    | {word for rule in RULES for word in rule.words}
    | {*".,!?:;-()", "and", "and and", "a", "k", "if so", "don't", "'s", '"x y"', "\n"}
)
SENTENCES = st.lists(st.sampled_from(WORDS_OF_RULES), max_size=14).map(" ".join)
TEXTS = st.text() | SENTENCES


@settings(max_examples=300)
@given(TEXTS)
def test_any_text_has_a_frame_or_a_reason_why_not(text):
    framed = frame(text)
    assert (framed is None) == bool(refusal(text))


@settings(max_examples=300)
@given(TEXTS)
def test_the_rules_change_nothing_in_what_they_have_left(text):
    line = settled(applied(READING, canonical_line(tokenise(text).words)))
    assert line is None or settled(line) == line


def test_where_rules_undo_each_other_the_form_is_the_same_from_wherever_they_began():
    line = settled("if train is and and late")
    assert line is not None and settled(line) == line


@settings(max_examples=300)
@given(TEXTS, TEXTS)
def test_equal_digests_are_of_equal_frames(one, other):
    a, b = frame(one), frame(other)
    if a is not None and b is not None:
        assert (a.digest == b.digest) == (a == b)


@pytest.mark.parametrize(
    "part",
    ["is ", "a ", "which ", "what is ", "if ", "- ", "in b ", ", ", "'", '"', "(", "`"]
    + ["to and ", "'s ", "1 ", "1,", "hi ", "please ", "aA", "A ", ": ", "\n", "! "],
)
def test_no_pattern_runs_away(part):
    for text in (part * (2000 // len(part)), f"What is {part * 90}"[:2000]):
        assert (frame(text) is None) == bool(refusal(text))


QUESTIONS = st.sampled_from(
    [
        "What is the capital of Peru?",
        "Who wrote Dune?",
        "How do I sort a list in Ruby?",
        "Why do cats purr?",
        'How many letters are in "bureau"?',
        "When was Ada Lovelace born?",
    ]
)
GREETINGS = st.sampled_from(
    ["", "Hi! ", "Hello there. ", "Quick question: ", "Please "]
)
CLOSERS = st.sampled_from(["", " Thanks!", " Please help.", " Thank you very much."])
SPACES = st.sampled_from(["", " ", "  \n"])


@given(QUESTIONS, GREETINGS, CLOSERS, SPACES, SPACES)
def test_what_is_said_around_a_question_does_not_matter(
    question, greeting, closer, before, after
):
    text = f"{before}{greeting}{question}{closer}{after}"
    assert frame(text) == frame(question)


@given(QUESTIONS)
def test_small_letters_or_a_missing_mark_do_not_matter(question):
    assert frame(question.lower()) == frame(question)
    assert frame(question.removesuffix("?")) == frame(question)


def in_rules(line: str) -> str:
    for rule in RULES:
        line = rule.apply(line)
    return line


SETTLES = 4  # passes over the rules
EXAMPLES = [text for rule in RULES for pair in rule.same for text in pair]


@pytest.mark.parametrize("text", EXAMPLES)
def test_the_canonical_form_of_a_canonical_form_is_itself(text):
    line = in_rules(canonical_line(tokenise(text).words))
    assert in_rules(line) == line


WORDINGS = sorted(
    {
        line
        for name in ("wordings.txt", "lookalikes.txt")
        for line in (Path(__file__).parent / name).read_text().splitlines()
        if line and not line.startswith("#")
    }
)
SHUFFLED = st.lists(
    st.sampled_from(sorted({word for line in WORDINGS for word in line.split()})),
    min_size=1,
    max_size=14,
).map(" ".join)


@settings(max_examples=400)
@given(st.one_of(st.sampled_from(WORDINGS), SHUFFLED, st.text()))
def test_the_rules_never_undo_each_other_on_any_text(text):
    """Whatever the words, their form settles: no two rules pull it to and fro."""
    line = in_rules(canonical_line(tokenise(text).words))
    for _ in range(SETTLES):
        line, before = in_rules(line), line
        if line == before:
            return
    raise AssertionError(f"It goes on changing: {before!r}, {line!r}.")


@given(st.sampled_from(sorted(WORDS)))
def test_the_canonical_form_of_a_canonical_word_is_itself(word):
    line = canonical_line([word])
    assert canonical_line(line.split(" ")) == line


@settings(max_examples=100)
@given(st.lists(st.text(min_size=1), max_size=4), st.text(), st.text())
def test_digests_are_equal_for_equal_frames_only(tokens, payload, other):
    core = tuple("".join(token.split()) or "x" for token in tokens)
    one, two = Frame(core, payload), Frame(core, other)
    assert (one.digest == two.digest) == (one == two)
    assert Frame((*core, "x"), payload).digest != one.digest
