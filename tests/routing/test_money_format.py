import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.money_format import dollars, exact_dollars, nano_dollars


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (0, "$0.00"),
        (1, "$0.000000001"),
        (218_600, "$0.000219"),
        (500_000_000, "$0.50"),
        (999_999_999, "$1.00"),
        (18_420_000_000, "$18.42"),
        (1_234_567_000_000_000, "$1,234,567.00"),
        (-3_000_000_000, "-$3.00"),
        (-1, "-$0.000000001"),
    ],
)
def test_amounts_are_short_and_never_turn_a_cost_into_nothing(nano, text):
    assert dollars(nano) == text


@pytest.mark.parametrize(
    ("text", "nano"),
    [("0.80", 800_000_000), ("$15", 15_000_000_000), (" 0.000000001 ", 1), ("0", 0)],
)
def test_a_typed_price_becomes_nano_dollars(text, nano):
    assert nano_dollars(text) == nano


@pytest.mark.parametrize(
    "text",
    ["", "free", "1,5", "0.0000000001", "nan", "snan", "inf", "1e999999", "1e-999999"],
)
def test_what_is_no_price_is_refused_with_a_sentence(text):
    with pytest.raises(ValueError, match=r"\.$"):
        nano_dollars(text)


@given(st.integers(0, 10**15))
def test_a_price_survives_being_shown_and_typed_again(nano):
    assert nano_dollars(exact_dollars(nano)) == nano
