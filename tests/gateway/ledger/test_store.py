"""Journal records in the database: each once, whatever is repeated or late."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.ledger import store
from gateway.models import (
    Attempt,
    LimitCounter,
    LimitHold,
    RequestLog,
    SpendDay,
    UsageRollup,
    UsageTotal,
)
from tests.gateway.ledger.samples import (
    attempt,
    request,
    rows,
    sums_of_rows,
    totals,
)
from tests.gateway.ledger.storing import save

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_what_is_counted_leaves_an_hour_after_its_window():
    now = datetime(2026, 4, 1, tzinfo=UTC)
    for hours in (2, 0):
        ends_at = now - timedelta(hours=hours)
        LimitCounter.objects.create(name=f"{hours} hours ago", ends_at=ends_at)
        LimitHold.objects.create(hold=f"{hours} hours ago", ends_at=ends_at)
    assert store.purge(now, days=10) == 2
    assert LimitCounter.objects.get().name == "0 hours ago"
    assert LimitHold.objects.get().hold == "0 hours ago"


def test_a_client_that_left_is_no_error_in_any_sum():
    left = {"status": 499, "outcome": "cancelled"}

    save([request("a", **left), request("b", status=502)], [])

    everything = UsageRollup.objects.filter(dimension="all", span="day")
    assert everything.get().errors == 1
    assert SpendDay.objects.get().errors == 1
    assert UsageTotal.objects.get().errors == 1
