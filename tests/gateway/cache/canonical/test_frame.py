import gzip
import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.cache.canonical import Frame, frame, refusal

CAPITAL = "What is the capital of France?"
EVAL_DATA = os.environ.get("LLM_ROUTER_EVAL_DATA", "")


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


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Schuldet Anna Ben 15 Euro?", "Schuldet Ben Anna 15 Euro?"),
        ("Dois-je prendre 15 mg?", "Dois-je prendre 95 mg?"),
        ("¿Debo tomar aspirina?", "¿No debo tomar aspirina?"),
        ("Алиса должна Бобу?", "Боб должен Алисе?"),
        ("我应该吃阿司匹林吗", "我不应该吃阿司匹林吗"),
        ("パリからローマまで", "ローマからパリまで"),
    ],
)
def test_traps_in_other_languages_are_never_one_question(one, other):
    assert frame(one) is None or frame(one) != frame(other)


@settings(max_examples=100)
@given(st.text())
def test_any_text_has_a_frame_or_a_reason_why_not(text):
    framed = frame(text)
    assert (framed is None) == bool(refusal(text))


PIECES = """
    what is are the a of in to not please tell me how do i can you who capital city peru
    rome france's what's alice bob 15 two + - ? . , ! "x" : safe
"""
WORDS = st.sampled_from(PIECES.split())


@settings(max_examples=100)
@given(st.lists(WORDS, max_size=8).map(" ".join))
def test_spaces_around_a_question_do_not_matter(text):
    assert frame(f"  {text} \n") == frame(text)


@settings(max_examples=100)
@given(st.lists(st.text(min_size=1), max_size=4), st.text(), st.text())
def test_digests_are_equal_for_equal_frames_only(tokens, payload, other):
    core = tuple("".join(token.split()) or "x" for token in tokens)
    one, two = Frame(core, payload), Frame(core, other)
    assert (one.digest == two.digest) == (one == two)
    assert Frame((*core, "x"), payload).digest != one.digest


@pytest.mark.skipif(not EVAL_DATA, reason="LLM_ROUTER_EVAL_DATA names no folder")
def test_labelled_pairs_stay_within_the_bounds_for_false_hits():
    path = Path(EVAL_DATA) / "cache" / "dev.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    judged = [row for row in rows if not row.get("disputed")]
    hits = {row["id"] for row in judged if is_hit(row["a"], row["b"])}
    other = [row for row in judged if not row["duplicate"]]
    same = [row for row in judged if row["duplicate"] and row["source"] == "adv"]

    assert sum(row["id"] in hits for row in other) <= 0.001 * len(other)
    assert sum(row["id"] in hits for row in same) >= 0.85 * len(same)


def is_hit(one: str, other: str) -> bool:
    framed = frame(one)
    return one == other or framed is not None and framed == frame(other)
