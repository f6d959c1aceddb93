"""The bounds of Clopper and Pearson, against values from their tables."""

import pytest

from routing.bounds import lower_bound, shown_below, upper_bound


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


@pytest.mark.parametrize(
    ("wrong", "judged", "confidence", "expected"),
    [(0, 10, 0.99, 0.3690), (0, 10, 0.5, 0.0670), (5, 100, 0.975, 0.1128)],
)
def test_more_confidence_is_a_higher_bound(wrong, judged, confidence, expected):
    bound = upper_bound(wrong, judged, confidence)
    assert bound == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize("wrong", [0, 1, 7, 40, 399, 400])
@pytest.mark.parametrize("judged", [400, 20_000])
def test_a_limit_is_shown_just_from_the_bound_on(wrong, judged):
    bound = upper_bound(wrong, judged, 0.99)

    assert not shown_below(bound * 0.999, wrong, judged, 0.99)
    assert shown_below(min(1.0, bound * 1.001), wrong, judged, 0.99) == (wrong < judged)
