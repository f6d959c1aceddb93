import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows_app.predicate import PredicateError, parse

VALUES = {
    "verdict": "It is WRONG.",
    "empty": "",
    "score": '{"total": 7, "of": {"all": "ten"}, "good": true}',
    "fenced": '```json\n{"total": 7}\n```',
    "amount": "12.5",
    "items": ["a", "b"],
    "inputs.lang": "fr",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("verdict", True),
        ("empty", False),
        ("skipped", False),
        ("not empty", True),
        ('verdict contains "wrong"', True),
        ("verdict contains 'right'", False),
        ('verdict starts_with "it is"', True),
        ('verdict ends_with "."', True),
        ('inputs.lang == "FR"', True),
        ('inputs.lang != "fr"', False),
        ("score.total >= 7", True),
        ("score.total < 7", False),
        ("score.total == 7", True),
        ('score.of.all == "ten"', True),
        ("fenced.total == 7", True),
        ("score.good == true", True),
        ("score.nothing == null", True),
        ("verdict.total > 1", False),
        ("amount > 12 and amount <= 12.5", True),
        ("verdict > 1", False),
        ('items contains "b"', True),
        ("empty or verdict and not (amount == 1)", True),
        ("(empty or verdict) and empty", False),
    ],
)
def test_predicates(text, expected):
    assert parse(text).holds(VALUES.get) is expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "and",
        "a ==",
        "a == b",
        "a b",
        "(a",
        "a)",
        "1 == a",
        "not",
        "a == 'x",
        "__import__('os')",
        "a + b",
        "a.__class__.",
        "(" * 20 + "a" + ")" * 20,
        "not " * 20 + "a",
        "a or " * 200 + "a",
    ],
)
def test_what_is_not_a_predicate_is_refused(text):
    with pytest.raises(PredicateError):
        parse(text)


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text):
    try:
        predicate = parse(text)
    except PredicateError:
        return
    assert predicate.holds(VALUES.get) in (True, False)
