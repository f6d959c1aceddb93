"""What a killed process left in its journal: each attempt once."""

import pytest

from gateway.ledger.journal import Journal, encode
from gateway.ledger.replay import replay
from gateway.ledger.writer import REJECTED
from gateway.models import Attempt, RequestLog
from tests.gateway.ledger.leftovers import empty_tables, leave, left_in
from tests.gateway.ledger.samples import (
    attempt,
    complete,
    intent,
    request,
    sums_of_rows,
    totals,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_complete_journal_becomes_rows_and_goes(tmp_path):
    leave(tmp_path, *complete("a"), *complete("b"))
    assert replay(tmp_path) == 4
    assert RequestLog.objects.count() == Attempt.objects.count() == 2
    assert totals() == sums_of_rows()
    assert left_in(tmp_path) == []
    assert replay(tmp_path) == 0


def test_an_attempt_without_a_settlement_is_unknown_and_stays_spent(tmp_path):
    leave(tmp_path, intent("a", cost_nano=500, prompt_tokens=50))
    assert replay(tmp_path) == 1
    row = Attempt.objects.get()
    assert (row.state, row.cost_nano, row.prompt_tokens) == ("unknown", 500, 50)
    assert (row.error_code, row.status) == ("interrupted", None)
    assert totals()["spent_nano"] == 500


def test_a_request_that_never_ended_becomes_a_row_with_what_it_cost(tmp_path):
    leave(
        tmp_path,
        intent("a", 1),
        attempt("a", 1, cost_nano=70, state="estimated"),
        intent("a", 2, backend="opus", model="claude-opus", tier=3, cost_nano=500),
    )
    replay(tmp_path)
    row = RequestLog.objects.get()
    assert (row.request_id, row.status, row.outcome) == ("a", 500, "interrupted")
    assert (row.cost_nano, row.attempts, row.estimated) == (570, 2, True)
    assert (row.backend, row.model_served, row.tier) == ("opus", "claude-opus", 3)
    assert (row.scope, row.key_name, row.model_asked) == ("team:a", "laptop", "auto")
    assert totals() == sums_of_rows()
    assert totals()["errors"] == 1
    assert left_in(tmp_path) == []


def test_a_request_killed_between_its_settlement_and_its_row_has_one(tmp_path):
    leave(tmp_path, intent("a"), attempt("a", cost_nano=70))
    replay(tmp_path)
    assert Attempt.objects.get().state == "billed"
    assert (RequestLog.objects.get().outcome, RequestLog.objects.get().cost_nano) == (
        "interrupted",
        70,
    )


@pytest.mark.parametrize("segment_bytes", [1, 1 << 20])
def test_an_unknown_attempt_of_an_ended_request_adds_to_its_row(
    tmp_path, segment_bytes
):
    leave(
        tmp_path,
        intent("a", 1),
        request("a", status=499, cost_nano=0, attempts=1),
        intent("a", 2, cost_nano=30),
        segment_bytes=segment_bytes,
    )
    replay(tmp_path)
    row = RequestLog.objects.get()
    assert (row.status, row.cost_nano, row.attempts) == (499, 530, 2)
    assert totals() == sums_of_rows()


def test_a_settlement_may_be_in_a_later_segment_than_its_intent(tmp_path):
    records = [intent("a"), *complete("b"), attempt("a"), request("a")]
    journal = leave(tmp_path, *records, segment_bytes=1)
    assert journal.segment == 5
    replay(tmp_path)
    states = set(Attempt.objects.values_list("attempt_id", "state"))
    assert states == {("a-1", "billed"), ("b-1", "billed")}


def test_the_journals_of_several_dead_processes_are_all_replayed(tmp_path):
    for name in ("a", "b", "c"):
        leave(tmp_path, *complete(name))
    assert replay(tmp_path) == 6
    assert totals()["requests"] == 3


def test_the_journal_of_a_living_process_is_left_alone(tmp_path):
    living = Journal(tmp_path, 1 << 30)
    living.append(intent("mine"))
    leave(tmp_path, *complete("theirs"))
    replay(tmp_path)
    assert Attempt.objects.get().request_id == "theirs"
    assert left_in(tmp_path) == [f"{living.name}.000000.journal", f"{living.name}.lock"]
    living.close()


# --- damage ---------------------------------------------------------------------------


def test_a_journal_cut_after_any_byte_gives_the_records_before_the_cut(tmp_path):
    records = [intent("a"), attempt("a"), request("a")]
    ends = [sum(len(encode(r)) for r in records[: n + 1]) for n in range(3)]
    whole = b"".join(encode(record) for record in records)
    for cut in range(0, len(whole) + 1, 29):
        check_cut(tmp_path / str(cut), whole[:cut], ends, cut)
    for end in ends:
        for cut in (end - 2, end - 1, end):
            check_cut(tmp_path / f"end-{cut}", whole[:cut], ends, cut)


def check_cut(folder, data, ends, cut):
    empty_tables()
    folder.mkdir()
    (folder / "1-dead.000000.journal").write_bytes(data)
    replay(folder)
    # A line is whole without its newline.
    begun, settled, ended = [cut >= end - 1 for end in ends]
    states = list(Attempt.objects.values_list("state", flat=True))
    assert states == (["billed"] if settled else ["unknown"] if begun else [])
    outcomes = list(RequestLog.objects.values_list("outcome", flat=True))
    assert outcomes == (["ok"] if ended else ["interrupted"] if begun else [])
    assert totals() == sums_of_rows()
    # A torn last line is what a kill leaves: nothing to look at.
    assert left_in(folder) == []


def test_a_damaged_line_in_the_middle_is_kept_aside(tmp_path):
    damaged = encode(request("b")).replace(b"ok", b"no")
    lines = [encode(request("a")), damaged, encode(request("c")), b"torn"]
    (tmp_path / "1-dead.000000.journal").write_bytes(b"".join(lines))
    replay(tmp_path)
    assert set(RequestLog.objects.values_list("request_id", flat=True)) == {"a", "c"}
    assert left_in(tmp_path) == [REJECTED]
    assert (tmp_path / REJECTED).read_bytes() == damaged


def test_a_record_the_database_refuses_is_kept_aside(tmp_path):
    leave(tmp_path, *complete("a"), request("bad", at="never"))
    replay(tmp_path)
    assert RequestLog.objects.get().request_id == "a"
    assert (tmp_path / REJECTED).read_bytes() == encode(request("bad", at="never"))
