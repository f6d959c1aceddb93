"""The reference's table of points, and that it tells requests apart."""

import pytest

from routing.chat import Features
from routing.classifier import Score, Signal, classify
from routing.features import extract


def points(features):
    return {signal.name: signal.points for signal in classify(features).signals}


def test_a_plain_short_prompt_scores_five_and_says_why():
    features = extract({"messages": [{"role": "user", "content": "What is 2+2?"}]})

    assert classify(features) == Score(
        5, (Signal("tokens", 5, "about 3 tokens"),), min_tier=1
    )


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [(0, 5), (99, 5), (100, 10), (500, 15), (1000, 20), (2000, 25), (4000, 30)]
    + [(7999, 30), (8000, 35), (10**9, 35)],
)
def test_points_for_length(tokens, expected):
    assert points(Features(prompt_tokens=tokens)) == {"tokens": expected}


@pytest.mark.parametrize(
    ("turns", "expected"), [(1, 3), (2, 3), (4, 6), (8, 9), (14, 12), (15, 15)]
)
def test_points_for_depth(turns, expected):
    assert points(Features(turns=turns))["depth"] == expected


@pytest.mark.parametrize(
    ("chars", "expected"), [(28, 2), (200, 4), (800, 6), (2000, 8), (5000, 10)]
)
def test_points_for_the_system_prompt(chars, expected):
    assert points(Features(system_chars=chars))["system prompt"] == expected


def test_points_for_what_a_request_asks():
    features = Features(
        json_mode=True, tools=2, code=True, reasoning_cues=("analyze", "prove")
    )

    assert points(features) == {
        "tokens": 5,
        "json mode": 10,
        "tools": 15,
        "code": 10,
        "reasoning": 15,
    }
    assert classify(features).value == 55


def test_reasons_are_said_of_one_as_of_several():
    def reasons(number: int) -> list[str]:
        features = Features(number, turns=number, system_chars=number, tools=number)
        return [signal.reason for signal in classify(features).signals]

    assert reasons(1) == [
        "about 1 token",
        "1 message came before",
        "1 character of instructions",
        "1 tool offered",
    ]
    assert reasons(2)[-1] == "2 tools offered"


def test_tools_force_tier_two():
    assert classify(Features(tools=1)).min_tier == 2
    assert classify(Features()).min_tier == 1


def test_the_sum_is_capped_at_a_hundred():
    features = Features(
        prompt_tokens=9000,
        turns=20,
        system_chars=9000,
        json_mode=True,
        tools=1,
        code=True,
        reasoning_cues=("analyze",),
    )

    assert sum(points(features).values()) == 110
    assert classify(features).value == 100


def test_realistic_requests_do_not_all_score_the_same():
    """Defect 11 of the reference: nearly everything scored exactly 5."""
    question = {"role": "user", "content": "What is the capital of France?"}
    story = {"role": "user", "content": "Summarize: " + "The fox ran. " * 150}
    rules = {"role": "system", "content": "You are a careful reviewer. " * 40}
    review = {"role": "user", "content": "Analyze:\n```\ndef f(x): ...\n```"}
    reply = {"role": "assistant", "content": "Of course. " * 40}
    bodies = [
        {"messages": [question]},
        {"messages": [story]},
        {"messages": [rules, question]},
        {"messages": [review]},
        {"messages": [rules, review, reply, story, reply, question]},
        {"messages": [rules, *[review, reply] * 20, review], "tools": [{}]},
    ]

    scores = [classify(extract(body)).value for body in bodies]

    assert scores == sorted(scores)
    assert len(set(scores)) == 6
    assert scores[0] <= 30 < scores[4] <= 70 < scores[5]
