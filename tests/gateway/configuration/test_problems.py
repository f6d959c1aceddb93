import pytest

from gateway.configuration.problems import ConfigurationError, Problems, suggestion


def test_all_problems_are_raised_together_in_the_order_of_the_lines():
    problems = Problems("my.yaml")
    problems.add(7, "second")
    problems.add(3, "first")
    problems.add(7, "second")

    with pytest.raises(ConfigurationError) as raised:
        problems.raise_if_any()

    assert raised.value.messages == ("my.yaml:3: first", "my.yaml:7: second")
    assert str(raised.value) == "my.yaml:3: first\nmy.yaml:7: second"


def test_nothing_wrong_raises_nothing():
    Problems("my.yaml").raise_if_any()


def test_a_suggestion_is_made_for_a_likely_slip_only():
    assert suggestion("modle", ("model", "tier")) == '; did you mean "model"?'
    assert suggestion("banana", ("model", "tier")) == ""
