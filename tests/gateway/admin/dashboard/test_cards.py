"""The numbers on top of the dashboard."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.admin.dashboard import numbers
from gateway.admin.dashboard.breakdowns import TABLES
from gateway.admin.dashboard.cards import cards
from gateway.admin.dashboard.numbers import Period
from gateway.ledger import store
from tests.gateway.ledger.samples import attempt, request

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 8, 15, 30, tzinfo=UTC)


def shown(days: int = 1) -> dict[str, tuple[str, str]]:
    period = Period(days, NOW)
    lines = {dimension: numbers.by(dimension, period) for dimension in TABLES}
    return {name: (value, more) for name, value, more in cards(period, lines)}


def answer(name: str, at: datetime = NOW, **fields: object) -> None:
    store.save([request(name, at=at.isoformat(), **fields)], [], may_exist=False)


def test_every_number_of_an_empty_period_is_nothing():
    found = shown()

    assert found["Spent"][0] == "$0.00"
    for name in ("Reused", "Errors", "Tier mix", "Latency p50", "Saved, as measured"):
        assert found[name][0] == "-"


def test_hit_rates_are_told_by_kind_the_commonest_first():
    for number in range(5):
        answer(f"m{number}")
    for number in range(3):
        answer(f"h{number}", cache="HIT", cache_level="exact")
    answer("c", cache="HIT", cache_level="canonical")
    answer("s", cache="SHARED")

    assert shown()["Reused"] == (
        "50.0%",
        "30.0% exact; 10.0% by another wording; 10.0% shared with one in flight",
    )


def test_the_tier_mix_begins_with_the_tier_that_answers_most():
    for number, tier in enumerate([*(1,) * 5, *(2,) * 3, None, None]):
        answer(f"r{number}", tier=tier)

    assert shown()["Tier mix"] == ("50.0%", "tier 1; 30.0% tier 2; 20.0% no tier")


def test_what_was_measured_stands_beside_what_prices_say():
    for number in range(40):
        answer(f"r{number}", arm="routed", cost_nano=10**7, saved_nano=5 * 10**7)
        answer(f"h{number}", arm="holdout", cost_nano=8 * 10**7, saved_nano=0)
    answer("old", NOW - timedelta(days=1), arm="holdout", cost_nano=10**9)

    value, more = shown()["Saved, as measured"]

    assert value == "$2.80"
    assert more == ("95 % sure: $2.80 to $2.80; as priced again $2.00, of 40 requests")
    assert shown(7)["Saved, as measured"][0] != value


def test_a_measure_of_few_requests_says_so():
    answer("r", arm="routed")
    answer("h", arm="holdout", cost_nano=900)

    value, more = shown()["Saved, as measured"]

    assert value.startswith("$")
    assert more.startswith("too few requests to trust it; 95 % sure: ")


def test_errors_and_calls_that_failed_are_told_apart():
    answer("fine")
    at = NOW.isoformat()
    store.save(
        [request("bad", at=at, status=502)],
        [attempt("bad", n, at=at, status=500) for n in (1, 2)]
        + [attempt("fine", at=at)],
        may_exist=False,
    )

    assert shown()["Errors"] == ("50.0%", "66.7% of calls")
    assert shown()["Requests"] == ("2", "1 failed")
