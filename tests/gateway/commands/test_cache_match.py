import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

PAIRS = [
    {
        "id": 1,
        "a": "What is the capital of France?",
        "b": "What's France's capital city?",
    },
    {"id": "two", "a": "What is 2+2?", "b": "What is 2+3?"},
    {"id": 3, "a": "Is it safe to mix A and B?", "b": "Is it safe to mix A and B?"},
    {"id": 4, "a": "What time is it now?", "b": "What's the time now?"},
]


@pytest.fixture
def pairs(tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join(map(json.dumps, PAIRS)) + "\n\n")
    return path


def lines(*args):
    out = StringIO()
    call_command("cache_match", *args, stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_each_pair_is_tried_in_an_empty_cache(pairs):
    found = lines("--input", pairs)
    assert [(line["id"], line["hit"], line["level"]) for line in found] == [
        (1, True, "canonical"),
        ("two", False, None),
        (3, True, "exact"),
        (4, False, None),
    ]
    assert found[3]["reason"] == "the answer depends on the time"
    assert all(line["reason"] for line in found)


def test_in_a_crowd_the_line_tells_whose_answer_is_served(pairs):
    assert lines("--input", pairs, "--crowd") == [
        {"id": 1, "hit_id": 1},
        {"id": "two", "hit_id": None},
        {"id": 3, "hit_id": 3},
        {"id": 4, "hit_id": None},
    ]


def test_exact_matching_serves_the_same_text_only(pairs):
    found = lines("--input", pairs, "--matching", "exact")
    assert [line["hit"] for line in found] == [False, False, True, False]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "Line 2"),
        ("[]", "Line 2: it must be an object"),
        ('{"id": 1, "a": "x"}', 'Line 2: "b" must be a text'),
        ('{"id": null, "a": "x", "b": "y"}', 'Line 2: "id" must be'),
    ],
)
def test_a_line_that_is_no_pair_is_named(tmp_path, line, said):
    path = tmp_path / "pairs.jsonl"
    path.write_text(json.dumps(PAIRS[0]) + "\n" + line + "\n")
    with pytest.raises(CommandError) as raised:
        lines("--input", path)
    assert said in str(raised.value)


def test_a_hostile_line_costs_no_other_line_its_answer(tmp_path):
    path = tmp_path / "pairs.jsonl"
    same = {"a": "What is the capital of France?", "b": "What's France's capital?"}
    half = "What is \ud83d?"
    rows = [
        {"id": 1, **same},
        {"id": "六\ud83d", "a": half, "b": half},
        {"id": "nul", "a": "\0", "b": "What is \0 the capital of France?"},
        {"id": "empty", "a": "", "b": " "},
        {"id": "huge", "a": "x" * 300_000, "b": "y " * 150_000},
        {"id": 1, **same, "more": [1]},
    ]
    lines_of = "\r\n \r\n\r\n".join(json.dumps(row) for row in rows)
    path.write_bytes(b"\xef\xbb\xbf" + lines_of.encode())  # and no end of the last one

    found = lines("--input", path)
    crowd = lines("--input", path, "--crowd")

    assert [line["id"] for line in found] == [row["id"] for row in rows]
    assert [line["hit"] for line in found] == [True, *[False] * 4, True]
    assert found[1]["reason"] == "no request can carry half of a surrogate pair"
    assert [line["hit_id"] for line in crowd] == [1, *[None] * 4, 1]


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(CommandError, match="can't be read"):
        lines("--input", tmp_path / "none.jsonl")


def test_a_crowd_finds_what_another_pair_stored_and_the_last_of_equal_ones(tmp_path):
    path = tmp_path / "pairs.jsonl"
    asked = [
        ("one", "Who wrote Dune?", "What is the tallest tree?"),
        ("two", "Who is the author of Dune?", "Who wrote Emma?"),
        ("three", "Who wrote Dune?", "By whom was Dune written?"),
    ]
    rows = [{"id": id, "a": a, "b": b} for id, a, b in asked]
    path.write_text("\n".join(map(json.dumps, rows)))
    assert [line["hit_id"] for line in lines("--input", path, "--crowd")] == [
        *(None, None, "three")
    ]
