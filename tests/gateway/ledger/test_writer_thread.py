"""The writer's thread: its rounds, its end, and a database that keeps it waiting."""

import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime

import pytest
from django.db import OperationalError

from gateway.ledger import store
from gateway.ledger.writer import Writer
from gateway.models import Attempt, RequestLog
from tests.gateway.ledger.journals import FOR_EVER, append, segments
from tests.gateway.ledger.samples import attempt, complete, intent, request

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_clean_end_leaves_no_journal(journal, writer):
    for number in range(10):
        append(journal, *complete(f"r{number}"))
    writer.start()
    writer.stop()
    assert writer.delete_all()
    assert segments(journal) == []
    assert RequestLog.objects.count() == 10
    assert journal.kept_bytes == 0


def test_an_attempt_still_open_at_the_end_keeps_the_journal(journal, writer):
    append(journal, *complete("a"), intent("b"))
    writer.start()
    writer.stop()
    assert not writer.delete_all()
    assert segments(journal) != []


def test_a_database_that_fails_at_the_end_keeps_the_journal(journal):
    def fail():
        raise OperationalError("no such server")

    writer = Writer(journal, lambda: FOR_EVER, on_flush=fail)
    append(journal, *complete("a"))
    writer.start()
    writer.stop()
    assert writer.behind_since is not None
    assert not writer.delete_all()


class Rounds:
    """Counts flushes; the first ones fail as told."""

    def __init__(self, journal, failures=()):
        self.journal = journal
        self.failures = list(failures)
        self.count = 0
        self.enough = threading.Event()

    def __call__(self):
        self.count += 1
        append(self.journal, *complete(f"round{self.count}"))
        if self.count == 3:
            self.enough.set()
        if self.failures:
            raise self.failures.pop(0)


def test_the_thread_outlives_whatever_goes_wrong_in_a_round(journal):
    rounds = Rounds(journal, [RuntimeError("a bug"), OperationalError("gone")])
    writer = Writer(journal, lambda: FOR_EVER, on_flush=rounds)
    writer.start()
    assert rounds.enough.wait(20)
    writer.stop()
    assert writer.behind_since is None
    assert Attempt.objects.count() == rounds.count - 1
    assert RequestLog.objects.filter(request_id="round2").exists()


def test_a_database_that_says_nothing_is_told_while_it_is_waited_for(journal):
    now = 0.0
    entered, answered = threading.Event(), threading.Event()

    def wait():
        entered.set()
        assert answered.wait(20)

    writer = Writer(journal, lambda: FOR_EVER, on_flush=wait, clock=lambda: now)
    writer.start()
    assert entered.wait(20)
    at_first = writer.is_behind
    now = 11.0
    after_a_while = writer.is_behind
    answered.set()
    writer.stop()

    assert (at_first, after_a_while) == (False, True)
    assert writer.behind_since is None  # nothing failed


def test_old_rows_leave_although_there_is_always_something_to_store(journal):
    store.save([request("old")], [attempt("old")], may_exist=False)
    rounds = Rounds(journal)
    now = datetime.now(UTC).isoformat()
    append(journal, request("new", at=now))
    writer = Writer(journal, lambda: 1, on_flush=rounds)
    writer.start()
    assert rounds.enough.wait(20)
    writer.stop()
    assert not RequestLog.objects.filter(request_id="old").exists()
    assert RequestLog.objects.filter(request_id="new").exists()


BEHIND = """
import threading
from django.conf import settings
settings.DATABASES["default"]["OPTIONS"]["timeout"] = 0.2
from gateway.ledger.journal import Journal
from gateway.ledger.writer import Writer
from tests.gateway.ledger.samples import attempt, intent, request

journal = Journal(settings.JOURNAL_DIR, 1 << 30, segment_bytes=50_000)
writer = Writer(journal, lambda: 10_000)
writer.start()
pause = threading.Event()
for number in range(500):
    name = f"r{number}"
    journal.append(intent(name))
    journal.append(attempt(name))
    journal.append(request(name))
while writer.behind_since is None:
    pause.wait(0.01)
print("behind", flush=True)
input()
while writer.behind_since is not None:
    pause.wait(0.01)
writer.stop()
print("all stored" if writer.delete_all() else "journal kept", writer.rejected)
journal.close()
"""


def test_a_database_locked_by_somebody_else_delays_rows_and_loses_none(instance):
    with closing(sqlite3.connect(instance.database)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.isolation_level = None
        other.execute("BEGIN EXCLUSIVE")
        with instance.start(BEHIND) as process:
            # All 1500 appends came back while the lock was held.
            assert process.stdout.readline() == "behind\n"
            assert instance.query("SELECT count(*) FROM gateway_attempt") == [(0,)]
            other.execute("ROLLBACK")
            output, _ = process.communicate("\n")
    assert output == "all stored 0\n"
    counts = "SELECT (SELECT count(*) FROM gateway_attempt), (SELECT count(*) FROM "
    counts += "gateway_requestlog), (SELECT sum(requests) FROM gateway_usagetotal)"
    assert instance.query(counts) == [(500, 500, 500)]
    assert list(instance.journal.iterdir()) == []
