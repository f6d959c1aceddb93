"""All-time sums, and what `/stats` makes of them."""

from datetime import date

import pytest

from gateway.ledger import store
from gateway.models import RequestLog, UsageTotal
from gateway.runtime.totals import Totals, stats
from tests.gateway.ledger.samples import attempt, request, sums_of_rows

TODAY = date(2026, 3, 5)
DOLLAR = 1_000_000_000  # nano-USD


def row(**fields):
    sums = dict.fromkeys(store.TOTALS, 0)
    return {"scope": "a", "backend": "", "tier": 0, "cache": "MISS", **sums, **fields}


def test_nothing_yet_is_all_zeros_in_the_references_shape():
    answer = stats([])
    assert answer["total_requests"] == 0
    assert answer["total_saved_usd"] == answer["total_spent_usd"] == 0.0
    assert answer["by_model"] == {}


def test_the_references_numbers_come_out():
    answer = stats(
        [
            row(backend="claude-haiku", tier=1, requests=891, spent_nano=DOLLAR),
            row(backend="claude-sonnet", tier=2, requests=298, spent_nano=2 * DOLLAR),
            row(backend="claude-opus", tier=3, requests=58, spent_nano=150_000_000),
        ]
    )
    assert answer["total_requests"] == 1247
    assert answer["total_spent_usd"] == 3.15
    assert answer["total_spent_nano_usd"] == 3_150_000_000
    assert answer["by_model"] == {
        "claude-haiku": 891,
        "claude-sonnet": 298,
        "claude-opus": 58,
    }
    assert answer["by_tier"] == {"1": 891, "2": 298, "3": 58}


def test_one_backend_under_several_kinds_is_counted_together():
    answer = stats(
        [
            row(backend="haiku", tier=1, cache="MISS", requests=5, saved_nano=-100),
            row(backend="haiku", tier=1, cache="HIT", requests=3, saved_nano=900),
            row(backend="", cache="BYPASS", requests=2, errors=2),
        ]
    )
    assert answer["by_model"] == {"haiku": 8}
    assert answer["by_cache"] == {"MISS": 5, "HIT": 3, "BYPASS": 2}
    assert (answer["total_saved_nano_usd"], answer["total_errors"]) == (800, 2)


def test_a_kind_that_only_spent_is_no_request():
    answer = stats([row(backend="haiku", tier=1, spent_nano=5)])
    assert (answer["by_model"], answer["by_tier"], answer["by_cache"]) == ({}, {}, {})
    assert answer["total_spent_nano_usd"] == 5


@pytest.mark.django_db(transaction=True)
class TestRead:
    def test_sums_are_kept_apart_by_scope_and_joined_over_days(self):
        store.save(
            [
                request("a", scope="team:a"),
                request("b", scope="team:a", at="2026-03-02T00:00:00+00:00"),
                request("c", scope="key:7"),
            ],
            [attempt("a", scope="team:a"), attempt("c", scope="key:7")],
            may_exist=False,
        )
        totals = Totals()
        totals.read(TODAY)
        assert stats(totals.of("team:a"))["total_requests"] == 2
        assert stats(totals.of("team:a"))["total_spent_nano_usd"] == 400
        assert stats(totals.of("key:7"))["total_requests"] == 1
        assert totals.of("team:stranger") == []
        assert len(totals.of("team:a")) == 1

    def test_all_scopes_together_are_the_sums_of_the_rows(self):
        store.save(
            [
                request("a"),
                request("b", scope="key:7", status=500),
                request("c", status=499),
            ],
            [attempt("a"), attempt("b", scope="key:7", cost_nano=7)],
            may_exist=False,
        )
        totals = Totals()
        totals.read(TODAY)
        answer, rows = stats(totals.of(None)), sums_of_rows()
        assert answer["total_requests"] == rows["requests"]
        assert answer["total_spent_nano_usd"] == rows["spent_nano"]
        assert answer["total_saved_nano_usd"] == rows["saved_nano"]
        assert answer["total_errors"] == rows["errors"]
        assert answer["prompt_tokens"] == rows["prompt_tokens"]

    def test_they_outlive_the_log_and_a_restart(self):
        store.save([request("a")], [attempt("a")], may_exist=False)
        RequestLog.objects.all().delete()
        after_a_restart = Totals()
        assert after_a_restart.of(None) == []
        after_a_restart.read(TODAY)
        assert stats(after_a_restart.of(None))["total_requests"] == 1

    def test_reading_again_replaces_what_was_read(self):
        store.save([request("a", at=f"{TODAY}T00:00:00+00:00")], [], may_exist=False)
        totals = Totals()
        totals.read(TODAY)
        totals.read(TODAY)
        assert stats(totals.of(None))["total_requests"] == 1
        UsageTotal.objects.all().delete()
        totals.read(TODAY)
        assert totals.of(None) == []

    def test_days_gone_by_are_summed_again_when_the_day_changes(self):
        totals = Totals()
        totals.read(TODAY)
        store.save([request("late")], [], may_exist=True)
        totals.read(TODAY)
        before = stats(totals.of(None))["total_requests"]
        totals.read(date(2026, 3, 6))
        assert (before, stats(totals.of(None))["total_requests"]) == (0, 1)
