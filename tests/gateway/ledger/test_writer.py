"""The thread that follows the journal: nothing lost, nothing twice, nothing kept."""

import threading

import pytest
from django.db import OperationalError, connection

from gateway.ledger import store
from gateway.ledger.journal import Journal, decode, encode
from gateway.ledger.writer import BATCH_BYTES, REJECTED, Writer
from gateway.models import Attempt, RequestLog
from tests.gateway.ledger.disks import full_disk
from tests.gateway.ledger.journals import FOR_EVER, append, segments
from tests.gateway.ledger.samples import (
    attempt,
    complete,
    intent,
    request,
    sums_of_rows,
    totals,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_was_appended_is_stored_once(journal, writer):
    append(journal, *complete("a"))
    assert writer.flush() == 2
    append(journal, *complete("b"))
    assert writer.flush() == 2
    assert writer.flush() == 0
    assert RequestLog.objects.count() == Attempt.objects.count() == 2
    assert totals() == sums_of_rows()


def test_nothing_is_stored_before_who_must_know_it_first_says_so(journal):
    seen = []
    writer = Writer(
        journal,
        lambda: FOR_EVER,
        before_save=lambda: seen.append(Attempt.objects.count()),
    )
    append(journal, *complete("a"))
    writer.flush()
    append(journal, *complete("b"))
    writer.flush()

    assert seen == [0, 1]


def test_half_a_line_waits_for_its_other_half(journal, writer):
    whole = encode(request("a"))
    with journal.path(0).open("ab") as file:
        file.write(whole[:50])
        file.flush()
        assert writer.flush() == 0
        file.write(whole[50:])
    assert writer.flush() == 1
    assert writer.rejected == 0


def test_a_segment_goes_when_every_attempt_begun_in_it_is_settled(journal, writer):
    append(journal, intent("slow"))
    for number in range(10):
        append(journal, *complete(f"r{number}"))
    writer.flush()
    assert journal.segment > 3
    assert segments(journal) == [*range(journal.segment + 1)]
    append(journal, attempt("slow"))
    writer.flush()
    assert segments(journal) == [journal.segment]
    assert Attempt.objects.count() == 11
    assert journal.kept_bytes == journal.path(journal.segment).stat().st_size


def test_an_open_attempt_keeps_its_segment_and_the_later_ones_only(journal, writer):
    for number in range(10):
        append(journal, *complete(f"before{number}"))
    append(journal, intent("slow"))
    began_in = journal.segment
    for number in range(10):
        append(journal, *complete(f"after{number}"))
    writer.flush()
    assert segments(journal) == [*range(began_in, journal.segment + 1)]


def test_a_damaged_line_is_kept_aside_and_its_neighbours_are_stored(journal, writer):
    lines = [encode(request(name)) for name in ("a", "b", "c")]
    damaged = lines[1].replace(b"team:a", b"team:b")
    with journal.path(0).open("ab") as file:
        file.writelines([lines[0], damaged, b"\n", b"\x00\r\xff\n", lines[2]])
    assert writer.flush() == 2
    assert set(RequestLog.objects.values_list("request_id", flat=True)) == {"a", "c"}
    assert writer.rejected == 3
    rejected = (journal.folder / REJECTED).read_bytes()
    assert rejected == damaged + b"\n" + b"\x00\r\xff\n"


def test_a_record_the_database_refuses_is_kept_aside_readably(journal, writer):
    append(journal, request("a"), request("bad", at="never"), request("b"))
    writer.flush()
    assert RequestLog.objects.count() == 2
    assert writer.rejected == 1
    [line] = (journal.folder / REJECTED).read_bytes().splitlines()
    assert decode(line) == request("bad", at="never")


def test_a_record_longer_than_a_batch_holds_nothing_up(tmp_path):
    journal = Journal(tmp_path, 1 << 30)
    writer = Writer(journal, lambda: FOR_EVER)
    text = [{"step": "end", "text": "x" * (BATCH_BYTES + 1000)}]
    append(journal, request("a"), request("long", decisions=text), request("b"))
    assert writer.flush() == 3
    assert set(RequestLog.objects.values_list("request_id", flat=True)) == {
        "a",
        "b",
        "long",
    }
    journal.close()


def test_many_batches_of_backlog_are_stored_in_one_flush(tmp_path):
    journal = Journal(tmp_path, 1 << 30, segment_bytes=BATCH_BYTES)
    writer = Writer(journal, lambda: FOR_EVER)
    padding = [{"step": "note", "text": "x" * 20_000}]
    for number in range(120):
        append(journal, request(f"r{number}", decisions=padding))
    assert writer.flush() == 120
    assert segments(journal) == [journal.segment]
    journal.close()


def test_appending_and_rotating_meanwhile_loses_nothing(journal, writer):
    def serve():
        for number in range(300):
            append(journal, *complete(f"r{number}"))

    serving = threading.Thread(target=serve)
    serving.start()
    while serving.is_alive():
        writer.flush()
    writer.flush()
    assert journal.segment > 50
    assert RequestLog.objects.count() == Attempt.objects.count() == 300
    assert totals() == sums_of_rows()
    assert writer.rejected == 0
    assert segments(journal) == [journal.segment]


class LostConnection:
    """Fails one insert, as a database that goes away would."""

    def __init__(self):
        self.failed = False

    def __call__(self, execute, sql, params, many, context):
        if not self.failed and "attempt" in sql and sql.startswith("INSERT"):
            self.failed = True
            raise OperationalError("server closed the connection")
        return execute(sql, params, many, context)


def test_a_batch_the_database_did_not_take_is_tried_again(journal, writer):
    append(journal, *complete("a"))
    with connection.execute_wrapper(LostConnection()):
        with pytest.raises(OperationalError):
            writer.flush()
        assert RequestLog.objects.count() == 0
        append(journal, *complete("b"))
        assert writer.flush() == 4
    assert RequestLog.objects.count() == Attempt.objects.count() == 2
    assert totals() == sums_of_rows()


def test_a_batch_that_was_stored_but_not_acknowledged_is_not_counted_twice(
    journal, writer
):
    store.save([request("a")], [attempt("a")], may_exist=False)
    append(journal, *complete("a"), *complete("b"))
    writer.flush()
    assert writer.rejected == 0
    assert totals()["requests"] == 2
    assert totals() == sums_of_rows()


def test_settlements_that_a_full_disk_refused_are_stored_without_new_traffic(
    journal, writer
):
    append(journal, intent("a"))
    with full_disk(journal.folder):
        journal.append(attempt("a"), must_keep=True)
        writer.flush()
        assert not writer.delete_all()
    assert Attempt.objects.count() == 0
    assert writer.flush() == 1
    assert writer.delete_all()
