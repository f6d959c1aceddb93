"""Journal records in the database: each once, whatever is repeated or refused."""

import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.ledger import store
from gateway.models import Attempt, RequestLog, UsageTotal
from tests.gateway.ledger.samples import (
    attempt,
    request,
    rows,
    sums_of_rows,
    totals,
)

pytestmark = pytest.mark.django_db(transaction=True)


def save(requests=(), attempts=(), *, may_exist=False):
    return store.save(list(requests), list(attempts), may_exist=may_exist)


# --- rows -----------------------------------------------------------------------------


def test_a_record_becomes_a_row_with_all_its_columns():
    assert save([request()], [attempt()]) == []
    log, call = RequestLog.objects.get(), Attempt.objects.get()
    expected = {k: v for k, v in request().items() if k not in ("t", "at")}
    assert {name: getattr(log, name) for name in expected} == expected
    assert log.at == datetime(2026, 3, 1, 12, tzinfo=UTC)
    unstored = ("t", "at", "late", "key_name", "team", "endpoint", "dialect")
    unstored += ("stream", "model_asked", "score")
    expected = {k: v for k, v in attempt().items() if k not in unstored}
    assert {name: getattr(call, name) for name in expected} == expected
    assert call.at == datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_requests_count_themselves_and_attempts_count_the_money():
    save(
        [request("a"), request("b", status=400, cost_nano=0, saved_nano=-50)],
        [attempt("a"), attempt("b", cost_nano=0, state="free")],
    )
    [total] = UsageTotal.objects.values()
    assert total == {
        "id": total["id"],
        "day": date(2026, 3, 1),
        "scope": "team:a",
        "backend": "haiku",
        "tier": 1,
        "cache": "MISS",
        "requests": 2,
        "errors": 1,
        "prompt_tokens": 80,
        "completion_tokens": 14,
        "spent_nano": 400,
        "saved_nano": 550,
    }


def test_totals_are_kept_per_day_scope_backend_tier_and_cache():
    save(
        [
            request("a"),
            request("b", at="2026-03-02T00:00:00+00:00"),
            request("c", scope="key:7"),
            request("d", backend="opus", tier=3),
            request("e", cache="HIT"),
            request("f", backend="", tier=None, status=404),
        ],
    )
    kinds = UsageTotal.objects.order_by("day", "scope", "backend", "cache")
    assert list(
        kinds.values_list("day__day", "scope", "backend", "tier", "cache", "requests")
    ) == [
        (1, "key:7", "haiku", 1, "MISS", 1),
        (1, "team:a", "", 0, "MISS", 1),
        (1, "team:a", "haiku", 1, "HIT", 1),
        (1, "team:a", "haiku", 1, "MISS", 1),
        (1, "team:a", "opus", 3, "MISS", 1),
        (2, "team:a", "haiku", 1, "MISS", 1),
    ]


def test_a_shared_answer_costs_once():
    save(
        [
            request("leader"),
            request("follower", cache="SHARED", cost_nano=0, attempts=0),
        ],
        [attempt("leader")],
    )
    assert totals()["spent_nano"] == 400
    assert totals()["requests"] == 2


def test_more_records_than_one_statement_takes():
    count = 2 * store.STEP + 7
    save([request(f"r{n}") for n in range(count)])
    save([request(f"r{n}") for n in range(count + 1)], may_exist=True)
    assert RequestLog.objects.count() == count + 1
    assert totals()["requests"] == count + 1


# --- repetition -----------------------------------------------------------------------


@pytest.mark.parametrize("may_exist", [True, False])
def test_storing_the_same_records_again_changes_nothing(may_exist):
    requests = [request("a"), request("b")]
    attempts = [attempt("a"), attempt("a", 2), attempt("b", late=True)]
    save(requests, attempts)
    before = rows()
    rejected = save(requests, attempts, may_exist=may_exist)
    assert rejected == []
    assert rows() == before


def test_a_record_twice_in_one_batch_is_one_row():
    save([request(), request()], [attempt(), attempt()])
    assert (RequestLog.objects.count(), Attempt.objects.count()) == (1, 1)
    assert totals()["spent_nano"] == 400


def test_a_batch_that_overlaps_an_earlier_one_adds_only_what_is_new():
    save([request("a")], [attempt("a")])
    save([request("a"), request("b")], [attempt("a"), attempt("b")], may_exist=True)
    assert totals() == sums_of_rows()
    assert totals()["requests"] == 2


NUMBERS = st.integers(0, 40)
REQUESTS = st.builds(
    lambda number, **fields: request(f"r{number}", **fields),
    NUMBERS,
    scope=st.sampled_from(["team:a", "key:1"]),
    status=st.sampled_from([200, 404, 499, 502]),
    cache=st.sampled_from(["MISS", "HIT", "SHARED", "BYPASS"]),
    prompt_tokens=st.integers(0, 10**12),
    completion_tokens=st.integers(0, 10**12),
    saved_nano=st.integers(-(10**15), 10**15),
)
ATTEMPTS = st.builds(
    lambda number, attempt_number, **fields: attempt(
        f"r{number}", attempt_number, **fields
    ),
    NUMBERS,
    st.integers(1, 3),
    backend=st.sampled_from(["haiku", "opus"]),
    at=st.sampled_from(["2026-03-01T23:59:59+00:00", "2026-03-02T00:00:00+00:00"]),
    cost_nano=st.integers(0, 10**15),
    late=st.booleans(),
)
BATCH = st.tuples(st.lists(REQUESTS, max_size=12), st.lists(ATTEMPTS, max_size=12))


@given(
    st.lists(st.tuples(BATCH, st.booleans()), min_size=1, max_size=5),
    st.lists(st.integers(0, 4), max_size=4),
)
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_totals_are_the_exact_sums_of_the_rows_in_whatever_order_batches_come(
    batches, replayed
):
    for model in (RequestLog, Attempt, UsageTotal):
        model.objects.all().delete()
    for (requests, attempts), may_exist in batches:
        assert save(requests, attempts, may_exist=may_exist) == []
    for index in replayed:
        requests, attempts = batches[index % len(batches)][0]
        assert save(requests, attempts, may_exist=True) == []
    assert totals() == sums_of_rows()
    ids = {r["request_id"] for (requests, _), _ in batches for r in requests}
    assert set(RequestLog.objects.values_list("request_id", flat=True)) == ids


# --- late attempts --------------------------------------------------------------------


def test_a_late_attempt_adds_its_cost_to_the_row_of_its_request():
    save([request("a", cost_nano=0, attempts=1), request("b")])
    save([], [attempt("a", 1, cost_nano=90, late=True)])
    row = RequestLog.objects.get(request_id="a")
    # It had begun before the row was written, which counted it.
    assert (row.cost_nano, row.attempts) == (90, 1)
    assert RequestLog.objects.get(request_id="b").cost_nano == 400


def test_a_late_attempt_that_began_after_the_end_counts_as_one_more():
    save([request("a", attempts=1)], [attempt("a", 1)])
    save([], [attempt("a", 2, cost_nano=90, late=True)])
    row = RequestLog.objects.get()
    assert (row.cost_nano, row.attempts) == (490, 2)


def test_a_late_attempt_adds_its_cost_once():
    late = attempt("a", 1, cost_nano=90, late=True)
    save([request("a", cost_nano=0)])
    save([], [late])
    save([], [late], may_exist=True)
    save([], [late], may_exist=False)
    assert RequestLog.objects.get().cost_nano == 90
    assert totals()["spent_nano"] == 90


# --- records the database refuses -----------------------------------------------------

POISON = [
    pytest.param({"at": "yesterday"}, id="a date that is none"),
    pytest.param({"at": None}, id="no date"),
    pytest.param({"scope": None}, id="no scope"),
    pytest.param({"prompt_tokens": 2**63}, id="a number too large"),
    pytest.param({"prompt_tokens": "many"}, id="a word for a number"),
]


@pytest.mark.parametrize("fault", POISON)
def test_one_bad_record_costs_its_neighbours_nothing(fault):
    bad_request, bad_attempt = request("bad", **fault), attempt("bad", **fault)
    rejected = save(
        [request("a"), bad_request, request("b")],
        [attempt("a"), bad_attempt, attempt("b")],
    )
    assert rejected == [bad_request, bad_attempt]
    assert set(RequestLog.objects.values_list("request_id", flat=True)) == {"a", "b"}
    assert set(Attempt.objects.values_list("request_id", flat=True)) == {"a", "b"}
    assert totals() == sums_of_rows()


@pytest.mark.parametrize("missing", ["attempt_id", "request_id", "at", "state"])
def test_a_record_without_what_it_must_have_is_rejected(missing):
    bad = {k: v for k, v in attempt("bad").items() if k != missing}
    assert save([], [bad, attempt("good")]) == [bad]
    assert Attempt.objects.get().request_id == "good"


def test_nul_is_stored_as_a_sign_that_every_database_takes():
    hostile = {"model_asked": "a\x00b", "scope": "team:\x00", "backend": "\x00"}
    decisions = [{"step": "end", "text": "No model a\x00b.", "others": [["\x00", 1]]}]
    rejected = save(
        [request("a", decisions=decisions, **hostile)], [attempt("a", **hostile)]
    )
    assert rejected == []
    row = RequestLog.objects.get()
    assert (row.model_asked, row.scope) == ("a\ufffdb", "team:\ufffd")
    assert row.decisions[0]["text"] == "No model a\ufffdb."
    assert row.decisions[0]["others"] == [["\ufffd", 1]]
    assert UsageTotal.objects.get().scope == "team:\ufffd"


def test_text_that_is_too_long_is_cut_to_its_column():
    long = {"model_asked": "m" * 5000, "scope": "s" * 5000, "backend": "b" * 5000}
    assert save([request("r" * 500, **long)], [attempt("r" * 500, **long)]) == []
    row = RequestLog.objects.get()
    assert (len(row.model_asked), len(row.scope), len(row.backend)) == (200, 160, 128)
    assert len(row.request_id) == len(Attempt.objects.get().attempt_id) == 64
    assert UsageTotal.objects.get().scope == "s" * 160


def test_long_ids_are_recognised_when_they_come_again():
    record = request("r" * 500)
    save([record])
    assert save([record], may_exist=True) == []
    assert totals()["requests"] == 1


# --- a database that fails ------------------------------------------------------------


class Broken:
    """Fails at the statement with this number, as a lost connection would."""

    def __init__(self, fails_at):
        self.fails_at = fails_at
        self.seen = 0

    def __call__(self, execute, sql, params, many, context):
        self.seen += 1
        if self.seen == self.fails_at:
            raise OperationalError("the connection was lost")
        return execute(sql, params, many, context)


@contextmanager
def failing_at(statement):
    broken = Broken(statement)
    with connection.execute_wrapper(broken):
        yield broken


@pytest.mark.parametrize("may_exist", [True, False])
def test_a_failure_at_any_statement_stores_nothing_and_a_retry_everything(may_exist):
    requests = [request("a"), request("b", cache="HIT")]
    attempts = [attempt("a"), attempt("b", late=True)]
    statement = 0
    while True:
        statement += 1
        for model in (RequestLog, Attempt, UsageTotal):
            model.objects.all().delete()
        try:
            with failing_at(statement) as broken:
                save(requests, attempts, may_exist=may_exist)
        except OperationalError:
            assert rows() == {"requests": [], "attempts": [], "totals": []}
            save(requests, attempts, may_exist=may_exist)
        assert RequestLog.objects.count() == Attempt.objects.count() == 2
        assert totals() == sums_of_rows()
        if broken.seen < statement:
            break
    assert statement >= 6  # each was made to fail once


# --- retention ------------------------------------------------------------------------


def test_old_rows_leave_in_small_steps_and_the_totals_stay():
    now = datetime(2026, 4, 1, tzinfo=UTC)
    old, young = "2026-03-01T12:00:00+00:00", "2026-03-25T12:00:00+00:00"
    count = store.STEP + 20
    save(
        [request(f"r{n}", at=old) for n in range(count)] + [request("y", at=young)],
        [attempt(f"r{n}", at=old) for n in range(count)] + [attempt("y", at=young)],
    )
    before = totals()
    assert store.purge(now, days=10) == 2 * store.STEP
    assert store.purge(now, days=10) == 40
    assert store.purge(now, days=10) == 0
    assert RequestLog.objects.get().request_id == "y"
    assert Attempt.objects.get().request_id == "y"
    assert totals() == before


def test_a_row_leaves_only_when_it_is_older_than_the_days():
    save([request("a", at="2026-03-22T00:00:00+00:00")])
    assert store.purge(datetime(2026, 4, 1, tzinfo=UTC), days=10) == 0
    moment_later = datetime(2026, 4, 1, tzinfo=UTC) + timedelta(microseconds=1)
    assert store.purge(moment_later, days=10) == 1


# --- PostgreSQL -----------------------------------------------------------------------

SERVER = ("127.0.0.1", 5432)
ALSO_ON_POSTGRESQL = (
    "tests/gateway/ledger/test_store.py",
    "tests/gateway/ledger/test_replay.py",
    "tests/gateway/ledger/test_writer.py",
    "tests/gateway/limits/test_books.py",
    "tests/gateway/limits/test_counters.py",
    "tests/gateway/runtime/test_refresher.py",
    "tests/gateway/runtime/test_snapshot.py",
    "tests/gateway/runtime/test_totals.py",
    "tests/gateway/test_savings.py",
    "tests/routing/test_triggers.py",
)


@pytest.mark.service
def test_all_of_it_holds_on_postgresql_too():
    try:
        socket.create_connection(SERVER, timeout=2).close()
    except OSError:
        reason = "No PostgreSQL answers at 127.0.0.1:5432."
        if os.environ.get("LLM_ROUTER_REQUIRE_SERVICES"):
            pytest.fail(reason)
        pytest.skip(reason)
    # A name of its own, so that two runs at the same time don't meet.
    url = f"postgres://postgres@{SERVER[0]}:{SERVER[1]}/llm_router_{os.getpid()}"
    chosen = ["-m", "not service and not slow", "-p", "no:cacheprovider", "-q"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *chosen, *ALSO_ON_POSTGRESQL],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-5000:]
