"""What the ledger says that keys and teams spent in the windows they are in now."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet, Sum

from gateway.limits.counters import Mark
from gateway.limits.rules import Rule
from gateway.limits.windows import Windows
from gateway.models import SpendDay, Team


def spent_so_far(rules: Iterable[Rule], now: datetime) -> dict[str, int]:
    """Nano-dollars per counter, of each budget among the rules; those at 0 left out.

    The books are as old as the ledger's last flush, half a second.
    """
    windows, found = Windows(), dict[str, int]()
    budgets = {rule for rule in rules if rule.is_budget}
    names = dict(Team.objects.values_list("pk", "name")) if budgets else {}
    for rule in budgets:
        window = windows.at(rule.period, rule.zone, now.timestamp())
        rows = SpendDay.objects.filter(of(rule.subject, names), day__gte=window.day)
        if spent := total(rows):
            found[Mark(rule, window).name] = spent
    return found


def of(subject: str, team_names: dict[int, str]) -> Q:
    """The rows of `key:ID` or `team:ID`."""
    kind, _, number = subject.partition(":")
    if kind == "key":
        return Q(key_id=int(number))
    return Q(team=team_names.get(int(number), ""))


def total(rows: QuerySet[SpendDay]) -> int:
    spent: int = rows.aggregate(sum=Sum("spent_nano", default=0))["sum"]
    return spent
