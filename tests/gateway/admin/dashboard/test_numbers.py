from datetime import UTC, datetime, timedelta

import pytest

from gateway.admin.dashboard import numbers
from gateway.admin.dashboard.numbers import Line, Period, percentile, shortened
from gateway.ledger import store
from gateway.usage_rows import BUCKETS_MS, Dimension
from tests.gateway.ledger.samples import attempt, request

NOW = datetime(2026, 3, 8, 15, 30, tzinfo=UTC)


def counts(**buckets: int) -> list[int]:
    """By upper bound: `counts(to_20=3)`."""
    found = [0] * (len(BUCKETS_MS) + 1)
    for name, count in buckets.items():
        found[BUCKETS_MS.index(int(name.removeprefix("to_")))] = count
    return found


def test_a_percentile_lies_within_its_bucket():
    assert percentile(counts(to_20=4), 0.5) == 15
    assert percentile(counts(to_20=50, to_1000=50), 0.5) == 20
    assert percentile(counts(to_20=50, to_1000=50), 0.95) == pytest.approx(975)
    assert percentile(counts(), 0.5) is None
    assert percentile([*counts()[:-1], 7], 0.95) == BUCKETS_MS[-1]


def test_a_period_of_one_day_has_hours_and_a_longer_one_days():
    today, week = Period(1, NOW), Period(7, NOW)

    assert today.starts[0] == datetime(2026, 3, 8, tzinfo=UTC)
    assert len(today.starts) == 24
    assert week.starts[0] == datetime(2026, 3, 2, tzinfo=UTC)
    assert week.starts[-1] == datetime(2026, 3, 8, tzinfo=UTC)


def test_a_long_table_ends_with_the_sum_of_its_rest():
    lines = [Line(f"key {n}", requests=1, spent_nano=n) for n in range(20)]

    shown = shortened(lines[::-1])

    assert len(shown) == numbers.ROWS
    assert shown[0].name == "key 19"
    assert (shown[-1].name, shown[-1].requests) == ("9 more", 9)
    assert sum(line.spent_nano for line in shown) == sum(range(20))


@pytest.mark.django_db
def test_only_what_lies_in_the_period_is_counted():
    for number, at in enumerate(
        (NOW, NOW - timedelta(days=1), NOW - timedelta(days=6), NOW - timedelta(days=7))
    ):
        store.save(
            [request(f"r{number}", at=at.isoformat())],
            [attempt(f"r{number}", at=at.isoformat())],
            may_exist=False,
        )

    def seen(days: int) -> tuple[int, int]:
        total = numbers.totals(Period(days, NOW))
        return total.requests, total.spent_nano

    assert seen(1) == (1, 400)
    assert seen(7) == (3, 1200)
    assert seen(30) == (4, 1600)


@pytest.mark.django_db
def test_hits_are_told_apart_by_their_level_and_shares_by_key():
    at = NOW.isoformat()
    store.save(
        [
            request("a", at=at, key_name="ci"),
            request("b", at=at, key_name="ci", cache="HIT", cache_level="exact"),
            request("c", at=at, key_name="ci", cache="HIT", cache_level="canonical"),
            request("d", at=at, key_name="ci", cache="HIT", cache_level="exact"),
        ],
        [],
        may_exist=False,
    )
    period = Period(1, NOW)

    answers = numbers.by(Dimension.ANSWER, period)
    assert [(line.name, line.requests) for line in answers] == [
        ("HIT exact", 2),
        ("HIT canonical", 1),
        ("MISS", 1),
    ]
    [key] = numbers.by(Dimension.KEY, period)
    assert (key.requests, key.reused, key.bought) == (4, 3, 1)
