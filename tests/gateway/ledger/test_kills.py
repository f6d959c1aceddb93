"""Processes killed while they append or replay, against what they meant to do."""

import os
import random
import subprocess
import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.ledger.journal import Journal
from gateway.ledger.replay import replay
from gateway.ledger.writer import REJECTED, Writer
from gateway.models import Attempt, RequestLog, UsageRollup
from gateway.usage_rows import Dimension, Span
from tests import ROOT
from tests.gateway.ledger.leftovers import empty_tables, leave
from tests.gateway.ledger.samples import (
    attempt,
    complete,
    intent,
    request,
    sums_of_rows,
    totals,
)

pytestmark = pytest.mark.django_db(transaction=True)


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
        self.check_rollups()
        for row in RequestLog.objects.all():
            ended = row.request_id in self.ended
            assert row.outcome == ("ok" if ended else "interrupted")
            attempts = Attempt.objects.filter(request_id=row.request_id)
            assert row.cost_nano == sum(attempts.values_list("cost_nano", flat=True))
        unknown = {i.rpartition("-")[0] for i, s in states.items() if s == "unknown"}
        logged = set(RequestLog.objects.values_list("request_id", flat=True))
        assert logged >= unknown | self.ended.keys()

    def check_rollups(self):
        """The dashboard's sums are those of the rows, by whatever they are made."""
        costs = sum(Attempt.objects.values_list("cost_nano", flat=True))
        told = (RequestLog.objects.count(), Attempt.objects.count(), costs)
        for span in Span:
            for by in (Dimension.ALL, Dimension.KEY, Dimension.TIER):
                rows = UsageRollup.objects.filter(span=span, dimension=by)
                sums = rows.values_list("requests", "calls", "spent_nano")
                assert tuple(map(sum, zip(*sums, strict=True))) == (
                    told if sums else ()
                )


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
        cwd=ROOT,
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
