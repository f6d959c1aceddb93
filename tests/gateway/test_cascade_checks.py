from math import log

import pytest

from gateway.cascade_checks import agreement, confidence, doubt, mismatch


def completion(text, finish="stop", **message):
    message = {"role": "assistant", "content": text, **message}
    return {"choices": [{"index": 0, "message": message, "finish_reason": finish}]}


def call(name, arguments):
    return {"type": "function", "function": {"name": name, "arguments": arguments}}


def as_schema(schema):
    return {
        "response_format": {"type": "json_schema", "json_schema": {"schema": schema}}
    }


AGE = {
    "type": "object",
    "properties": {"age": {"type": "integer"}, "tags": {"items": {"enum": ["a"]}}},
    "required": ["age"],
    "additionalProperties": False,
}
OFFERS = {"tools": [{"type": "function", "function": {"name": "weather"}}]}


@pytest.mark.parametrize(
    ("answer", "body", "reason"),
    [
        (completion("Paris."), {}, ""),
        (completion(None), {}, "It is empty."),
        (completion("  \n"), {}, "It is empty."),
        (completion("Once", "length"), {}, "It was cut off at its length limit."),
        (completion("Once", "length"), {"max_tokens": 1}, ""),
        (completion("I’m sorry, but I can’t help with that."), {}, "It refuses."),
        (completion("As an AI language model, I"), {}, "It refuses."),
        (completion("Sorry, but I'd rather not"), {}, "It refuses."),
        (completion("He said: I can't help with that."), {}, ""),
        (completion("", refusal="No."), {}, "It refuses."),
        (completion('{"age": 7}'), as_schema(AGE), ""),
        (completion('{"age": 7'), as_schema(AGE), "It is not the JSON that was asked"),
        (completion('{"age": "7"}'), as_schema(AGE), "it.age is no integer"),
        (completion('{"age": true}'), as_schema(AGE), "it.age is no integer"),
        (completion("{}"), as_schema(AGE), "it lacks 'age'"),
        (completion('{"age": 1, "b": 2}'), as_schema(AGE), "it has 'b', which is not"),
        (completion('{"age": 1, "tags": ["b"]}'), as_schema(AGE), "it.tags[0] is none"),
        (completion("[]"), as_schema(AGE), "it is no object"),
        (completion("1"), as_schema({"required": 7, "enum": 3}), ""),
        (completion(None, tool_calls=[call("weather", "{}")]), OFFERS, ""),
        (completion(None, tool_calls=[call("wether", "{}")]), OFFERS, "not offered"),
        (completion(None, tool_calls=[call("weather", "{")]), OFFERS, "broken argume"),
        (completion("Hi"), {**OFFERS, "tool_choice": "required"}, "calls no tool"),
        ({"choices": []}, {}, "There is no answer in it."),
    ],
)
def test_the_form_of_an_answer_is_told_from_the_answer_alone(answer, body, reason):
    found = doubt(answer, body)

    assert reason in found
    assert bool(found) == bool(reason)


def test_a_schema_is_followed_a_bounded_way_down():
    value, schema = 1, {"type": "string"}
    for _ in range(50):
        value, schema = [value], {"items": schema}

    assert mismatch(value, schema) == ""
    assert mismatch([[1]], {"items": {"items": {"type": "string"}}}) == (
        "it[0][0] is no string"
    )


def test_confidence_is_the_geometric_mean_of_the_tokens_probabilities():
    tokens = [{"logprob": log(0.5)}, {"logprob": log(0.125)}, {"logprob": "odd"}]

    assert confidence([{"logprobs": {"content": tokens}}]) == pytest.approx(0.25)
    assert confidence([{"logprobs": None}, {}]) is None


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Paris", "paris", 1.0),
        ("The sum is 12.", "So we get 12", 1.0),
        ("The sum is 12.", "The sum is 13.", 0.0),
        ("It costs 1,200", "It costs 1200", 1.0),
        ("red green", "green blue", 1 / 3),
        ("In 1990 it was red", "In 1991 it was red", 4 / 6),
        ("", "", 1.0),
        ("", "word", 0.0),
    ],
)
def test_answers_agree_by_their_last_number_or_their_words(one, other, expected):
    assert agreement(one, other) == pytest.approx(expected)
