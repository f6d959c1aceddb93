from datetime import UTC, datetime

import pytest

from gateway.limits import books
from gateway.limits.books import spent_so_far
from gateway.limits.counters import Mark
from gateway.limits.rules import Rule
from gateway.limits.windows import window
from gateway.models import SpendDay, Team
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
