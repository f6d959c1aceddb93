import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.configuration.values import Kind, WrongValue, convert, usd_per_1k
from gateway.configuration.yaml_source import Scalar


def plain(text: str, kind: Kind):
    return convert(Scalar(1, text), kind)


def test_each_kind_reads_its_values():
    assert plain("claude-opus", Kind.TEXT) == "claude-opus"
    assert plain("30", Kind.WHOLE) == 30
    assert plain("9223372036854775807", Kind.WHOLE) == 2**63 - 1
    assert plain("0.85", Kind.NUMBER) == 0.85
    assert plain("1e-3", Kind.NUMBER) == 0.001
    assert plain("true", Kind.FLAG) is True
    assert plain("false", Kind.FLAG) is False


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("true", Kind.WHOLE),
        ("010", Kind.WHOLE),
        ("12:30", Kind.WHOLE),
        ("1_000", Kind.WHOLE),
        ("1.0", Kind.WHOLE),
        ("true", Kind.NUMBER),
        (".inf", Kind.NUMBER),
        (".nan", Kind.NUMBER),
        ("1e999", Kind.NUMBER),
        ("yes", Kind.FLAG),
        ("1", Kind.FLAG),
        ("1e999999999", Kind.MONEY),
    ],
)
def test_what_is_not_of_its_kind_is_refused(text, kind):
    with pytest.raises(WrongValue):
        plain(text, kind)


@pytest.mark.parametrize("text", ["no", "1.0", "12:30:00", "2024-01-01", "~"])
def test_text_that_looks_like_something_else_needs_quotes(text):
    with pytest.raises(WrongValue, match="put it in quotes"):
        plain(text, Kind.TEXT)
    assert convert(Scalar(1, text, plain=False), Kind.TEXT) == text


@pytest.mark.parametrize("kind", [Kind.WHOLE, Kind.NUMBER, Kind.MONEY])
def test_a_quoted_number_is_told_to_drop_its_quotes(kind):
    with pytest.raises(WrongValue, match="without quotes"):
        convert(Scalar(1, "3", plain=False), kind)


def test_text_with_line_breaks_or_invisible_characters_is_refused():
    for text in ("a\nb", "a\x00", "a\u00a0b", "a\u200b"):
        with pytest.raises(WrongValue):
            convert(Scalar(1, text, plain=False), Kind.TEXT)


def test_a_description_may_have_lines_spaces_that_do_not_break_and_joined_emoji():
    text = "10\u00a0models\n\U0001f469\u200d\U0001f4bb\tfor\u202fcode"

    assert convert(Scalar(1, text, plain=False), Kind.LINES) == text
    with pytest.raises(WrongValue, match=r"can't be printed \(U\+200B\)"):
        convert(Scalar(1, "a\u200b", plain=False), Kind.LINES)


def test_a_name_by_people_may_have_any_space_but_no_line_end():
    text = "\u6771\u4eac\u3000team\u00a01 \U0001f469\u200d\U0001f4bb"

    assert convert(Scalar(1, text, plain=False), Kind.NAME) == text
    for text in ("a\nb", "a\tb", "a\x85b", "a\u202eb", "\ufeffa"):
        with pytest.raises(WrongValue, match="can't be printed"):
            convert(Scalar(1, text, plain=False), Kind.NAME)


@pytest.mark.parametrize(
    ("usd", "nano"),
    [
        ("0.0008", 800_000_000),
        ("0.075", 75_000_000_000),
        ("8e-4", 800_000_000),
        ("0", 0),
        ("0.000000000001", 1),
        ("1000", 10**15),
    ],
)
def test_money_is_exact(usd, nano):
    assert plain(usd, Kind.MONEY) == nano


@pytest.mark.parametrize("usd", ["-1", "0.0000000000001", "1000.1"])
def test_money_below_zero_too_fine_or_beyond_any_price_is_refused(usd):
    with pytest.raises(WrongValue):
        plain(usd, Kind.MONEY)


@given(st.integers(0, 10**15))
def test_every_price_is_written_so_that_it_reads_the_same(nano):
    assert plain(usd_per_1k(nano), Kind.MONEY) == nano
