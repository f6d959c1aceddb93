from datetime import UTC, datetime

import pytest

from gateway.ledger import store
from gateway.limits import books
from gateway.limits.books import spent_so_far
from gateway.limits.counters import Mark
from gateway.limits.rules import Rule, of_audits, of_comparisons
from gateway.limits.windows import window
from gateway.models import SpendDay, Team
from tests.gateway.ledger.samples import attempt, request
from tests.gateway.limits.samples import NOON, ZURICH, budget

pytestmark = pytest.mark.django_db
NOW = datetime.fromtimestamp(NOON, UTC)  # Wednesday, 18 November 2026


def spend(day: str, key_id: int, nano: int, team: str = "") -> None:
    SpendDay.objects.create(day=day, key_id=key_id, team=team, spent_nano=nano)


def name(rule: Rule) -> str:
    return Mark(rule, window(rule.period, rule.zone, NOON)).name


@pytest.mark.parametrize("others", [0, books.FEW], ids=["few", "many"])
def test_each_budget_begins_with_its_own_days(others):
    team = Team.objects.create(name="t", time_zone=ZURICH.key)
    spend("2026-11-01", 1, 1, "t")
    spend("2026-11-16", 1, 10, "t")
    spend("2026-11-18", 1, 100)
    spend("2026-11-18", 2, 1000, "t")
    subjects = "key:1", f"team:{team.pk}"
    rules = [
        budget(5, period, subject)
        for subject in subjects
        for period in ("day", "week", "month")
    ]

    idle = [budget(5, "day", f"key:{number}") for number in range(9, 10 + others)]

    found = spent_so_far([*rules, *idle], NOW)

    assert [found.get(name(rule), 0) for rule in rules] == [
        *(100, 110, 111),
        *(1000, 1010, 1011),
    ]
    assert len(found) == 6


def test_a_thousand_keys_take_no_more_queries_than_one(django_assert_num_queries):
    rules = [
        budget(5, period, f"key:{number}")
        for number in range(1000)
        for period in ("day", "week", "month")
    ]

    with django_assert_num_queries(4):  # the teams, and one per first day
        spent_so_far(rules, NOW)


def test_the_gateways_own_budgets_begin_with_what_was_paid_today():
    for number, (hour, endpoint) in enumerate(
        [
            ("2026-11-17T23:59", "learn.pair"),
            ("2026-11-18T00:00", "learn.pair"),
            ("2026-11-18T09:00", "learn.judge"),
            ("2026-11-18T09:00", "chat.completions"),
            ("2026-11-18T00:00", "cache.audit"),
            ("2026-11-18T23:59", "cache.judge"),
            ("2026-11-18T09:00", "cache.embeddings"),
            ("2026-11-18T09:00", "cache.refresh"),  # for clients
            ("2026-11-17T23:59", "cache.audit"),
        ]
    ):
        moment = f"{hour}:00+00:00"
        fields = {"endpoint": endpoint, "at": moment, "cost_nano": 10**number}
        store.save([request(f"r{number}", **fields)], [], may_exist=False)
    pairs, audits = of_comparisons(1.5), of_audits(0.5)

    assert spent_so_far([pairs, audits], NOW) == {
        name(pairs): 110,
        name(audits): 1_110_000,
    }
    assert (pairs.limit, audits.limit) == (1_500_000_000, 500_000_000)


def test_an_audits_call_that_ends_after_its_row_counts_as_well():
    row = request("r", endpoint="cache.audit", at="2026-11-18T09:00:00+00:00")
    store.save([{**row, "cost_nano": 0}], [], may_exist=False)
    at = "2026-11-18T09:00:01+00:00"
    late = attempt("r", at=at, cost_nano=7, late=True, endpoint="cache.audit")
    store.save([], [late], may_exist=False)

    assert spent_so_far([of_audits(1)], NOW) == {name(of_audits(1)): 7}
