"""What a killed process left in its journal: each attempt once, whatever happens."""

import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.ledger.journal import Journal, encode
from gateway.ledger.replay import replay
from gateway.ledger.writer import REJECTED, Writer
from gateway.models import Attempt, RequestLog, UsageTotal
from tests.gateway.ledger.samples import (
    attempt,
    intent,
    request,
    rows,
    sums_of_rows,
    totals,
)

pytestmark = pytest.mark.django_db(transaction=True)


def leave(folder, *records, segment_bytes=1 << 20):
    """A journal whose owner is gone."""
    journal = Journal(folder, 1 << 30, segment_bytes)
    for record in records:
        journal.append(record)
    journal.close()
    return journal


def complete(request_id):
    return intent(request_id), attempt(request_id), request(request_id)


def left_in(folder):
    return sorted(path.name for path in folder.iterdir())


def empty_tables():
    for model in (RequestLog, Attempt, UsageTotal):
        model.objects.all().delete()


# --- what becomes of the records ------------------------------------------------------


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


# --- repetition and interruption ------------------------------------------------------

STORY = [
    *complete("a"),
    intent("b", 1),
    attempt("b", 1, state="free", cost_nano=0),
    intent("b", 2),
    intent("c", 1),
    request("c", status=499, cost_nano=0),
    intent("d", 1),
    attempt("d", 1),
    *complete("e"),
]


def test_replaying_twice_gives_the_same_rows_and_totals(tmp_path):
    leave(tmp_path / "first", *STORY)
    shutil.copytree(tmp_path / "first", tmp_path / "again")
    replay(tmp_path / "first")
    before = rows()
    replay(tmp_path / "again")
    assert rows() == before
    assert left_in(tmp_path / "again") == []


class Killed(BaseException):
    """Like a kill: no handler of ours sees it."""


class KilledAt:
    def __init__(self, statement):
        self.statement = statement
        self.seen = 0

    def __call__(self, execute, sql, params, many, context):
        self.seen += 1
        if self.seen == self.statement:
            raise Killed
        return execute(sql, params, many, context)


@pytest.mark.parametrize("segment_bytes", [700, 1 << 20])
def test_a_replay_killed_at_any_statement_ends_the_same_when_started_again(
    tmp_path, segment_bytes
):
    leave(tmp_path / "undisturbed", *STORY, segment_bytes=segment_bytes)
    replay(tmp_path / "undisturbed")
    expected = rows()
    statement = 0
    killed = True
    while killed:
        statement += 1
        empty_tables()
        folder = tmp_path / str(statement)
        leave(folder, *STORY, segment_bytes=segment_bytes)
        killed = not completes(folder, statement)
        assert replay(folder) == (9 if killed else 0)
        assert rows() == expected, statement
        assert left_in(folder) == []
    assert statement > 10


def completes(folder, statement):
    try:
        with connection.execute_wrapper(KilledAt(statement)):
            replay(folder)
    except Killed:
        return False
    return True


def test_a_database_that_is_down_keeps_the_journal_for_the_next_start(tmp_path):
    def refuse(execute, sql, params, many, context):
        raise OperationalError("no such server")

    journal = leave(tmp_path, *complete("a"))
    with connection.execute_wrapper(refuse), pytest.raises(OperationalError):
        replay(tmp_path)
    assert left_in(tmp_path) == [f"{journal.name}.000000.journal"]
    assert replay(tmp_path) == 2


# Steps of a life: begin an attempt, settle one, end a request, let the writer store.
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["begin", "begin", "settle", "settle", "end", "store"]),
        st.integers(0, 5),
    ),
    max_size=40,
)


@given(STEPS, st.sampled_from([1, 900, 1 << 20]))
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_killed_at_any_moment_of_any_life_the_books_are_complete(
    tmp_path_factory, steps, segment_bytes
):
    empty_tables()
    life = Life(tmp_path_factory.mktemp("life"), segment_bytes)
    for step, number in steps:
        getattr(life, step)(f"r{number}")
    life.journal.close()
    replay(life.journal.folder)
    life.check()


class Life:
    """A process's journal and writer, and what it should be remembered for."""

    def __init__(self, folder, segment_bytes):
        self.journal = Journal(folder, 1 << 30, segment_bytes)
        self.writer = Writer(self.journal, lambda: 0)
        self.begun = {}  # attempt id -> settled or not
        self.ended = {}  # request id -> what its row says it cost
        self.spent = {}  # request id -> settled so far

    def begin(self, name):
        number = 1 + sum(attempt_id.startswith(f"{name}-") for attempt_id in self.begun)
        self.journal.append(intent(name, number))
        self.begun[f"{name}-{number}"] = False

    def settle(self, name):
        for attempt_id, settled in self.begun.items():
            if attempt_id.startswith(f"{name}-") and not settled:
                number = int(attempt_id.removeprefix(f"{name}-"))
                late = name in self.ended
                self.journal.append(attempt(name, number, late=late))
                self.begun[attempt_id] = True
                self.spent[name] = self.spent.get(name, 0) + 400
                return

    def end(self, name):
        if name not in self.ended:
            self.ended[name] = self.spent.get(name, 0)
            self.journal.append(request(name, cost_nano=self.ended[name]))

    def store(self, name):
        self.writer.flush()

    def check(self):
        states = dict(Attempt.objects.values_list("attempt_id", "state"))
        assert states == {
            attempt_id: "billed" if settled else "unknown"
            for attempt_id, settled in self.begun.items()
        }
        assert totals() == sums_of_rows()
        for row in RequestLog.objects.all():
            ended = row.request_id in self.ended
            assert row.outcome == ("ok" if ended else "interrupted")
            attempts = Attempt.objects.filter(request_id=row.request_id)
            assert row.cost_nano == sum(attempts.values_list("cost_nano", flat=True))
        unknown = {i.rpartition("-")[0] for i, s in states.items() if s == "unknown"}
        logged = set(RequestLog.objects.values_list("request_id", flat=True))
        assert logged >= unknown | self.ended.keys()


# --- kill -9 --------------------------------------------------------------------------

APPENDING = """
import os, sys, time
from pathlib import Path
from random import Random
from gateway.ledger.books import Books, Caller
from gateway.ledger.journal import Journal
from gateway.metrics import Metrics
from routing.catalog import Backend, PriceList
from routing.chat import ChatRequest, Usage

IN_FLIGHT = 4
folder, kills, random = Path(sys.argv[1]), int(sys.argv[2]), Random(int(sys.argv[3]))

def serve(life, ready):
    # The provider's own books: an attempt is told there after its intent, before it
    # is settled; a settlement after it came back.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    oracle = os.open(folder / "oracle", flags)
    journal = Journal(folder / "journal", 1 << 30, segment_bytes=20_000)
    books = Books(journal, Metrics(), time.monotonic, time.time)
    backend = Backend("haiku", 1, "anthropic", "m", price=PriceList(10**9, 10**9, 0, 0))
    os.write(ready, b".")
    open_attempts = []
    number = 0
    while True:
        number += 1
        chat = ChatRequest({}, "team:a", f"r{life}x{number}")
        record = books.open_request(chat, Caller("team:a"))
        attempt = books.open_attempt(record, backend, prompt_tokens=50)
        os.write(oracle, f"sent {attempt.attempt_id}\\n".encode())
        open_attempts.append((record, attempt))
        if len(open_attempts) == IN_FLIGHT:
            record, attempt = open_attempts.pop(number % IN_FLIGHT)
            attempt.settle_answer(Usage(number % 1000, 7))
            paid = f"paid {attempt.attempt_id} {attempt.cost_nano}\\n"
            os.write(oracle, paid.encode())
            record.close(200, "ok")

for life in range(kills):
    heard, ready = os.pipe()
    child = os.fork()
    if not child:
        serve(life, ready)
    os.read(heard, 1)
    os.close(heard)
    os.close(ready)
    time.sleep(random.uniform(0, 0.03))
    os.kill(child, 9)
    os.waitpid(child, 0)
"""


def kill_while_appending(folder, kills, seed):
    subprocess.run(
        [sys.executable, "-c", APPENDING, str(folder), str(kills), str(seed)],
        cwd=Path(__file__).parents[3],
        check=True,
    )


def check_against_oracle(folder, kills):
    sent, paid = set(), {}
    for line in (folder / "oracle").read_text().splitlines():
        match line.split():
            case ["sent", attempt_id]:
                sent.add(attempt_id)
            case ["paid", attempt_id, cost]:
                paid[attempt_id] = int(cost)
    ids = list(Attempt.objects.values_list("attempt_id", flat=True))
    assert len(ids) == len(set(ids))
    assert sent <= set(ids)
    unknown = set(
        Attempt.objects.filter(state="unknown").values_list("attempt_id", flat=True)
    )
    assert set(ids) - sent <= unknown
    assert len(unknown) <= 4 * kills
    costs = dict(
        Attempt.objects.exclude(state="unknown").values_list("attempt_id", "cost_nano")
    )
    assert paid.items() <= costs.items()
    # Killed between settling and telling the oracle: at most one per life.
    assert len(costs) - len(paid) <= kills
    assert totals() == sums_of_rows()
    assert not (folder / "journal" / REJECTED).exists()
    assert len(paid) > 0


def test_killed_while_appending_every_attempt_has_exactly_one_row(tmp_path):
    kill_while_appending(tmp_path, kills=5, seed=1)
    replay(tmp_path / "journal")
    check_against_oracle(tmp_path, kills=5)


@pytest.mark.slow
def test_killed_fifty_times_while_appending(tmp_path):
    kill_while_appending(tmp_path, kills=50, seed=2)
    replay(tmp_path / "journal")
    check_against_oracle(tmp_path, kills=50)


REPLAYING = """
from django.conf import settings
from gateway.ledger.replay import replay
print("begin", flush=True)
print(replay(settings.JOURNAL_DIR))
"""


def kill_while_replaying(instance, seconds):
    with instance.start(REPLAYING) as process:
        assert process.stdout.readline() == "begin\n"
        time.sleep(seconds)
        process.kill()


@pytest.mark.parametrize(
    "kills", [1, pytest.param(25, marks=pytest.mark.slow, id="many")]
)
def test_a_replay_killed_and_started_again_stores_each_record_once(instance, kills):
    life = []
    for number in range(600):
        life += complete(f"r{number}")
    leave(instance.journal, *life, intent("open"), segment_bytes=100_000)
    moments = random.Random(kills)
    for _ in range(kills):
        kill_while_replaying(instance, moments.uniform(0, 0.25))
    with instance.start(REPLAYING) as process:
        process.communicate()
    assert process.returncode == 0
    count = "SELECT count(*), count(DISTINCT {}) FROM {}"
    for column, table, expected in (
        ("attempt_id", "gateway_attempt", 601),
        ("request_id", "gateway_requestlog", 601),
    ):
        [found] = instance.query(count.format(column, table))
        assert found == (expected, expected)
    [sums] = instance.query(
        "SELECT sum(requests), sum(spent_nano) FROM gateway_usagetotal"
    )
    assert sums == (601, 600 * 400 + 500)
    assert os.listdir(instance.journal) == []
