"""Journals that another version wrote, as after an upgrade or a roll-back (R23)."""

from pathlib import Path

import pytest

from gateway.ledger.journal import encode
from gateway.ledger.replay import replay
from gateway.ledger.writer import REJECTED
from gateway.limits.estates import Estates
from gateway.limits.inheritance import HeirOfHolds
from gateway.models import Attempt, RequestLog
from routing.chat import Json
from tests.gateway.ledger.leftovers import leave, left_in
from tests.gateway.ledger.samples import (
    attempt,
    complete,
    intent,
    request,
    rows,
    sums_of_rows,
    totals,
)

pytestmark = pytest.mark.django_db(transaction=True)

LATER = {"a_field_of_tomorrow": {"of": ["any", "form"]}}


def without(name: str, record: Json) -> Json:
    return {field: value for field, value in record.items() if field != name}


def test_r23_what_the_next_version_says_more_of_a_record_is_left_out(tmp_path: Path):
    plain = [intent("a"), attempt("a"), request("a"), intent("b")]
    leave(tmp_path / "this", *plain)
    replay(tmp_path / "this")
    known = rows()
    for model in (RequestLog, Attempt):
        model.objects.all().delete()
    leave(tmp_path / "next", *({**record, **LATER} for record in plain))

    replay(tmp_path / "next")

    assert [rows()[name] for name in ("requests", "attempts")] == [
        known[name] for name in ("requests", "attempts")
    ]
    assert left_in(tmp_path / "next") == []


@pytest.mark.parametrize(
    "unknown",
    [
        {"t": "a kind of tomorrow", "attempt_id": "a-1", "cost_nano": 7},
        without("t", attempt("x")),
        *(without("request_id", record) for record in complete("x")),
        *(without("attempt_id", record) for record in (intent("x"), attempt("x"))),
        {**intent("x"), "attempt_id": ["x", 1]},
    ],
)
def test_r23_a_record_that_only_the_next_version_knows_is_kept_aside_whole(
    tmp_path: Path, unknown: Json
):
    leave(tmp_path, *complete("a"), unknown, *complete("b"))

    assert replay(tmp_path) == 4

    assert RequestLog.objects.count() == Attempt.objects.count() == 2
    assert totals() == sums_of_rows()
    assert left_in(tmp_path) == [REJECTED]
    assert (tmp_path / REJECTED).read_bytes() == encode(unknown)


@pytest.mark.parametrize("name", ["model", "number"])
def test_r23_a_call_that_was_cut_off_is_kept_aside_where_too_little_is_told_of_it(
    tmp_path: Path, name: str
):
    leave(tmp_path, without(name, intent("a")), *complete("b"))

    replay(tmp_path)

    assert RequestLog.objects.get(request_id="a").outcome == "interrupted"
    assert Attempt.objects.get().request_id == "b"
    assert left_in(tmp_path) == [REJECTED]


def test_r23_what_was_kept_aside_is_brought_in_by_a_version_that_knows_it(
    tmp_path: Path,
):
    kept = b"".join(map(encode, complete("a")))
    for _ in "12":
        (tmp_path / REJECTED).write_bytes(kept)
        (tmp_path / REJECTED).rename(tmp_path / "0-again.000000.journal")
        replay(tmp_path)

    assert RequestLog.objects.count() == Attempt.objects.count() == 1
    assert totals() == sums_of_rows()
    assert left_in(tmp_path) == []


@pytest.mark.parametrize(
    "aside",
    [
        "a form of tomorrow",
        {"holds": []},
        {"hold": "h", "marks": [["only a name"]]},
        {"hold": "h", "marks": None},
    ],
)
def test_r23_what_the_next_version_set_aside_keeps_no_server_from_starting(
    tmp_path: Path, aside: object
):
    leave(tmp_path, *complete("a"), {**intent("b"), "aside": aside})

    replay(tmp_path, HeirOfHolds(None, "secret", Estates(tmp_path / "estates")))

    assert Attempt.objects.count() == 2
    assert totals() == sums_of_rows()
