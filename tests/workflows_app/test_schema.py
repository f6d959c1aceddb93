import pytest

from workflows_app.schema import mismatch, problem_of

SCORE = {
    "type": "object",
    "properties": {"score": {"type": "integer", "maximum": 10}},
    "required": ["score"],
}


@pytest.mark.parametrize("text", ['{"score": 3}', '```json\n{"score": 3}\n```'])
def test_what_fits(text):
    assert mismatch(text, SCORE) == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Score: 3", "it is not JSON"),
        ("{}", "it: 'score' is a required property"),
        ('{"score": 11}', "['score']: 11 is greater than the maximum of 10"),
    ],
)
def test_what_does_not_fit_is_told(text, why):
    assert mismatch(text, SCORE).startswith(why)


def test_a_schema_that_only_refers_to_itself_ends():
    assert problem_of({"$ref": "#"}) == ""
    assert "without end" in mismatch("1", {"$ref": "#"})


def test_patterns_are_not_run():
    schema = {"type": "string", "pattern": "^(a+)+$"}

    assert mismatch('"' + "a" * 50 + 'b"', schema) == ""
