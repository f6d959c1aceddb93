"""The bounds of Clopper and Pearson, against values from their tables."""

import pytest

from gateway.cache.proof import lower_bound, upper_bound, why_off


@pytest.mark.parametrize(
    ("wrong", "judged", "expected"),
    [
        (0, 1, 0.95),
        (0, 10, 0.2589),
        (1, 10, 0.3942),
        (0, 299, 0.00997),
        (0, 298, 0.010002),
        (5, 100, 0.1023),
        (10, 10, 1.0),
        (0, 0, 1.0),
        (3, 5000, 0.00155),
    ],
)
def test_the_upper_bound_is_that_of_the_tables(wrong, judged, expected):
    assert upper_bound(wrong, judged) == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize(
    ("wrong", "judged", "expected"),
    [(0, 50, 0.0), (1, 10, 0.0051), (5, 100, 0.0199), (2, 2, 0.2236), (10, 10, 0.7411)],
)
def test_the_lower_bound_is_that_of_the_tables(wrong, judged, expected):
    assert lower_bound(wrong, judged) == pytest.approx(expected, rel=5e-3, abs=1e-9)


def test_a_level_is_not_off_for_want_of_evidence():
    assert why_off(0, 1, limit=0.01, enough=300) == ""
    assert why_off(0, 299, limit=0.01, enough=300) == ""
    assert why_off(0, 300, limit=0.01, enough=300) == ""
    assert why_off(1, 1, limit=0.01, enough=300) == ""


def test_a_level_that_cannot_be_shown_to_keep_its_limit_goes_off():
    reason = why_off(1, 300, limit=0.01, enough=300)
    assert reason == (
        "1 of 300 audited hits were wrong: up to 1.57%, above the limit of 1.00%."
    )
    assert why_off(1, 480, limit=0.01, enough=300) == ""


def test_a_level_that_surely_breaks_its_limit_goes_off_early():
    assert "at least 22.36%" in why_off(2, 2, limit=0.01, enough=300)
    assert why_off(2, 200, limit=0.01, enough=300) == ""
