"""The sums per hour and day: as many as the rows say, whatever is repeated."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.ledger import store
from gateway.models import Attempt, RequestLog, UsageRollup
from gateway.request_ids import new_request_id
from gateway.usage_rows import FIRST_BYTE, LATENCY
from tests.gateway.ledger.samples import attempt, request
from workflows_app.run import new_run_id

pytestmark = pytest.mark.django_db

PLAIN = (
    "requests",
    "hits",
    "errors",
    "calls",
    "spent_nano",
    "saved_nano",
    "cached_tokens",
)


def save(requests=(), attempts=(), *, may_exist=False):
    return store.save(list(requests), list(attempts), may_exist=may_exist)


def sums(span: str, dimension: str) -> dict[str, int]:
    rows = UsageRollup.objects.filter(span=span, dimension=dimension)
    return rows.aggregate(**{name: Sum(name, default=0) for name in PLAIN})


def expected() -> dict[str, int]:
    logs = RequestLog.objects.all()
    return {
        "requests": logs.count(),
        "hits": logs.filter(cache="HIT").count(),
        "errors": logs.filter(status__gte=400).exclude(status=499).count(),
        "calls": Attempt.objects.count(),
        "spent_nano": sum(Attempt.objects.values_list("cost_nano", flat=True)),
        "saved_nano": sum(logs.values_list("saved_nano", flat=True)),
        "cached_tokens": sum(logs.values_list("cached_tokens", flat=True)),
    }


TIMES = st.sampled_from(
    [
        *("2026-03-01T00:00:00+00:00", "2026-03-01T23:59:59.999999+00:00"),
        *("2026-03-02T00:00:00+00:00", "2026-03-02T11:30:00+00:00"),
    ]
)
REQUESTS = st.builds(
    lambda number, **fields: request(f"r{number}", **fields),
    st.integers(0, 30),
    at=TIMES,
    key_name=st.sampled_from(["laptop", "ci"]),
    status=st.sampled_from([200, 404, 499, 502]),
    outcome=st.sampled_from(["ok", "error", "interrupted"]),
    cache=st.sampled_from(["MISS", "HIT", "SHARED"]),
    saved_nano=st.integers(-(10**15), 10**15),
    latency_ms=st.floats(0, 10**6),
    first_byte_ms=st.none() | st.floats(0, 10**6),
    tags=st.lists(st.sampled_from(["nightly", "batch"]), max_size=3),
)
ATTEMPTS = st.builds(
    lambda number, attempt_number, **fields: attempt(
        f"r{number}", attempt_number, **fields
    ),
    st.integers(0, 30),
    st.integers(1, 3),
    at=TIMES,
    backend=st.sampled_from(["haiku", "opus"]),
    cost_nano=st.integers(0, 10**15),
    late=st.booleans(),
)
BATCH = st.tuples(st.lists(REQUESTS, max_size=8), st.lists(ATTEMPTS, max_size=8))


@given(st.lists(st.tuples(BATCH, st.booleans()), min_size=1, max_size=4))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_hours_and_days_are_the_exact_sums_of_the_rows_also_after_a_replay(batches):
    for model in (RequestLog, Attempt, UsageRollup):
        model.objects.all().delete()
    for (requests, attempts), may_exist in batches:
        assert save(requests, attempts, may_exist=may_exist) == []
    for (requests, attempts), _ in batches:
        assert save(requests, attempts, may_exist=True) == []

    for dimension in ("all", "model", "tier", "key", "team"):
        assert sums("hour", dimension) == sums("day", dimension) == expected()
    paid = sum(RequestLog.objects.values_list("cost_nano", flat=True))
    for dimension in ("answer", "status"):
        assert sums("hour", dimension) == sums("day", dimension)
        assert sums("day", dimension)["requests"] == expected()["requests"]
        assert sums("day", dimension)["spent_nano"] == paid
    whole = UsageRollup.objects.filter(span="day", dimension="all").aggregate(
        **{name: Sum(name, default=0) for name in (*LATENCY, *FIRST_BYTE)}
    )
    streamed = RequestLog.objects.exclude(first_byte_ms=None).count()
    assert sum(whole[name] for name in LATENCY) == RequestLog.objects.count()
    assert sum(whole[name] for name in FIRST_BYTE) == streamed


def test_what_the_gateway_asks_itself_answers_nobody():
    save(
        [
            request("a", cache="BYPASS"),
            request("b", cache="BYPASS", endpoint="cache.audit", cost_nano=7),
            request("c", cache="BYPASS", endpoint="learn.judge", cost_nano=9),
            request("d", cache="BYPASS", endpoint="playground.chat"),
        ]
    )

    rows = UsageRollup.objects.filter(span="day", dimension="answer")
    assert dict(rows.values_list("name", "requests")) == {
        "BYPASS": 2,
        "cache.audit": 1,
        "learn.judge": 1,
    }
    assert rows.get(name="cache.audit").spent_nano == 7


def test_hours_and_days_begin_in_utc():
    save([request("a", at="2026-03-01T23:30:00+00:00")])
    save([request("b", at="2026-03-02T01:30:00+02:00")])

    rows = UsageRollup.objects.filter(dimension="all")
    starts = set(rows.values_list("span", "start", "requests"))

    assert starts == {
        ("hour", datetime(2026, 3, 1, 23, tzinfo=UTC), 2),
        ("day", datetime(2026, 3, 1, tzinfo=UTC), 2),
    }


def test_a_time_falls_into_the_bucket_whose_bound_it_does_not_pass():
    save(
        [
            request("a", latency_ms=10, first_byte_ms=None),
            request("b", latency_ms=10.1, first_byte_ms=60_000),
            request("c", latency_ms=60_001, first_byte_ms=10**9),
        ]
    )

    row = UsageRollup.objects.get(span="hour", dimension="all")

    assert (row.latency_0, row.latency_1, row.latency_16) == (1, 1, 1)
    assert (row.first_byte_0, row.first_byte_15, row.first_byte_16) == (0, 1, 1)


def test_the_money_stands_with_the_backend_that_was_called():
    save(
        [request("a", backend="opus", tier=3, cost_nano=900)],
        [
            attempt("a", 1, backend="haiku", state="free", status=503, cost_nano=0),
            attempt("a", 2, backend="opus", tier=3, cost_nano=900),
        ],
    )

    rows = UsageRollup.objects.filter(span="day", dimension="model").order_by("name")
    assert list(
        rows.values_list("name", "requests", "calls", "failed_calls", "spent_nano")
    ) == [("haiku", 0, 1, 1, 0), ("opus", 1, 1, 0, 900)]


def test_a_tag_has_the_cost_of_its_requests_also_when_it_comes_late():
    save([request("a", tags=["nightly", "x" * 500], cost_nano=400)])
    save([], [attempt("a", cost_nano=90, late=True)])
    save([], [attempt("a", cost_nano=90, late=True)], may_exist=True)

    rows = UsageRollup.objects.filter(span="day", dimension="tag").order_by("name")

    assert [(row.name, row.requests, row.spent_nano) for row in rows] == [
        ("nightly", 1, 490),
        ("x" * 128, 1, 490),
    ]


def test_more_kinds_than_one_statement_takes():
    save([request(f"r{n}", key_name=f"key {n}") for n in range(700)])

    assert UsageRollup.objects.filter(dimension="key", requests=1).count() == 1400


def test_hours_and_tags_leave_with_the_log_and_days_stay():
    save([request("a")], [attempt("a")])
    now = datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(days=31)
    while store.purge(now, days=30):
        pass

    assert set(UsageRollup.objects.values_list("span", flat=True)) == {"day"}
    assert not UsageRollup.objects.filter(dimension="tag").exists()


def test_tags_of_a_single_run_or_request_are_not_summed_up():
    run, another = f"run:{new_run_id()}", new_request_id()
    tags = [run, "op:draft", "workflow:digest", "run:nightly", "req_body"]
    late = attempt("r1", 2, late=True)

    save([request("r1", tags=tags), request("r2", tags=["cache-audit", another])])
    save([], [late])

    named = UsageRollup.objects.filter(dimension="tag", span="day")
    assert sorted(named.values_list("name", flat=True)) == [
        *("cache-audit", "op:draft", "req_body", "run:nightly", "workflow:digest"),
    ]
