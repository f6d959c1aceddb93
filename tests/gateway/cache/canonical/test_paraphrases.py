"""Wordings of one question (wordings.txt, same.txt), and questions that only look alike
(lookalikes.txt; traps.txt, by kinds of traps and languages): a line each, with an empty
line between the groups.

They share no template with the labelled pairs that the rules were measured on.
"""

from pathlib import Path

import pytest

from gateway.cache.canonical import frame, refusal


def groups(name):
    text = (Path(__file__).parent / name).read_text("utf-8").strip()
    return [
        [line.replace("\\n", "\n") for line in group.split("\n")]
        for group in text.split("\n\n")
    ]


WORDINGS = groups("wordings.txt")


@pytest.mark.parametrize(
    ("question", "wording"),
    [
        (question, wording)
        for question, *others in [*WORDINGS, *groups("same.txt")]
        for wording in others
    ],
)
def test_wordings_of_one_question_have_one_frame(question, wording):
    assert frame(question) is not None, refusal(question)
    assert frame(question) == frame(wording)


@pytest.mark.parametrize(
    ("one", "other"), [*groups("lookalikes.txt"), *groups("traps.txt")]
)
def test_questions_that_look_alike_have_two_frames(one, other):
    assert frame(one) is None or frame(one) != frame(other)


def test_none_of_the_questions_is_another_one():
    assert len({frame(question) for question, *_ in WORDINGS}) == len(WORDINGS)
