import sys
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.learned.features import CUES, MAX_TOKENS, Row, prompt_of, row_of
from tests.work import peak_bytes, steps


def row(text: str, **body: object) -> Row:
    return row_of(prompt_of({"messages": [{"role": "user", "content": text}], **body}))


def cue(row: Row, name: str) -> float:
    return float(row.cues[CUES.index(name)])


def bucket(number: int) -> int:
    return (number * 0x9E3779B97F4A7C15 % 2**64) >> 48


def test_words_and_pairs_of_words_fall_into_buckets():
    one, two = crc32(b"hello"), crc32(b"world")
    pair = (one * 0x9E3779B1 + two * 0x85EBCA77) % 2**32

    found = row("Hello world").buckets.tolist()

    assert found == sorted({bucket(one), bucket(two), bucket(pair)})


def test_cues_count_what_their_names_say():
    found = row("Solve 3 + 4 = x, then 1500.\nWhy?")

    assert cue(found, "numbers") == pytest.approx(np.log1p(3), abs=1e-3)
    assert cue(found, "long numbers") == pytest.approx(np.log1p(1), abs=1e-3)
    assert cue(found, "operators") == pytest.approx(np.log1p(2), abs=1e-3)
    assert cue(found, "question marks") == pytest.approx(np.log1p(1), abs=1e-3)
    assert cue(found, "lines") == pytest.approx(np.log1p(1), abs=1e-3)
    assert cue(found, "capitals") == pytest.approx(2 / 32, abs=1e-3)
    assert cue(found, "tools") == 0


def test_the_last_user_message_counts_and_what_came_before_is_only_measured():
    body = {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Prove the theorem."},
            {"role": "assistant", "content": "No."},
            {"role": "user", "content": [{"type": "text", "text": "Hello world"}]},
        ],
        "tools": [{"type": "function", "function": {"name": "f"}}],
        "response_format": {"type": "json_object"},
    }

    found = row_of(prompt_of(body))

    assert set(row("Hello world").buckets) <= set(found.buckets)
    assert not set(row("theorem").buckets) & set(found.buckets)
    assert cue(found, "earlier turns") == pytest.approx(np.log1p(1), abs=1e-3)
    assert cue(found, "earlier characters") == pytest.approx(np.log1p(21), abs=1e-2)
    assert cue(found, "tools") == pytest.approx(np.log1p(1), abs=1e-3)
    assert cue(found, "JSON") == 1


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=3000) | st.text("ab \n0.,$", max_size=6000))
def test_any_text_gives_a_bounded_row_that_survives_packing(text):
    found = row(text)

    assert len(found.buckets) <= 2 * MAX_TOKENS
    assert (np.diff(found.buckets.astype(int)) > 0).all()
    assert np.isfinite(found.cues).all()
    again = Row.unpack(found.pack())
    assert (again.buckets == found.buckets).all()
    assert again.cues == pytest.approx(found.cues, rel=2e-3, abs=2e-3)


@pytest.mark.parametrize(
    "text",
    ["a" * 5_000_000, "a b " * 1_000_000, "\U0001f600" * 500_000, "(((" * 900_000],
    ids=["one word", "short words", "emoji", "brackets"],
)
def test_a_huge_text_costs_hardly_more_than_a_long_one(text):
    row(text)

    for work in (steps, peak_bytes):
        assert work(lambda: row(text)) < 2 * work(lambda: row(text[:4000])) + 1000


def test_a_row_of_an_ordinary_prompt_is_small_and_holds_no_text():
    text = (
        "Which of these confidential words can be read in what is stored of them? " * 5
    )

    packed = row(text).pack()

    assert len(packed) < 1300
    assert b"confidential" not in packed
    assert sys.getsizeof(packed) < 1400


@pytest.mark.parametrize("damaged", [b"", b"x", b"\xff" * 200, b"\x00" * 61])
def test_bytes_that_are_no_row_are_refused(damaged):
    with pytest.raises(ValueError):
        Row.unpack(damaged)
