"""What the ledger says that keys and teams spent in the windows they are in now."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time

from django.db.models import Q, Sum

from gateway.limits.counters import Mark
from gateway.limits.rules import AUDITS, COMPARISONS, Rule
from gateway.limits.windows import Windows
from gateway.models import SpendDay, Team, UsageRollup
from gateway.usage_rows import Dimension, Span

# The endpoints that each budget of the gateway's own pays for.
OWN = {
    COMPARISONS: ("learn.pair", "learn.judge"),
    AUDITS: ("cache.audit", "cache.judge", "cache.embeddings"),
}
FEW = 100  # subjects that a query names; of more it reads all


def spent_so_far(rules: Iterable[Rule], now: datetime) -> dict[str, int]:
    """Nano-dollars per counter, of each budget among the rules; those at 0 left out.

    The books are as old as the ledger's last flush, half a second. One query per first
    day of a period, however many keys.
    """
    windows, found = Windows(), dict[str, int]()
    by_day: dict[date, list[Mark]] = defaultdict(list)
    for rule in {rule for rule in rules if rule.is_budget}:
        window = windows.at(rule.period, rule.zone, now.timestamp())
        by_day[window.day].append(Mark(rule, window))
    names = dict(Team.objects.values_list("pk", "name")) if by_day else {}
    for day, marks in by_day.items():
        subjects = [mark.rule.subject for mark in marks]
        sums = sums_since(day, subjects, names)
        for subject in OWN.keys() & subjects:
            sums[subject] = own_since(day, OWN[subject])
        for mark in marks:
            if spent := sums.get(mark.rule.subject):
                found[mark.name] = spent
    return found


def sums_since(
    day: date, subjects: Sequence[str], team_names: dict[int, str]
) -> dict[str, int]:
    """What each `key:ID` and `team:ID` spent from that day on."""
    rows = SpendDay.objects.filter(day__gte=day)
    if len(subjects) <= FEW:
        keys = [int(each[4:]) for each in subjects if each.startswith("key:")]
        teams = [each for each in subjects if each.startswith("team:")]
        named = [team_names.get(int(each[5:]), "") for each in teams]
        rows = rows.filter(Q(key_id__in=keys) | Q(team__in=named))
    grouped = rows.order_by().values("key_id", "team").annotate(sum=Sum("spent_nano"))
    team_ids = {name: number for number, name in team_names.items()}
    sums: dict[str, int] = defaultdict(int)
    for key_id, team, spent in grouped.values_list("key_id", "team", "sum"):
        sums[f"key:{key_id}"] += spent
        if team in team_ids:
            sums[f"team:{team_ids[team]}"] += spent
    return sums


def own_since(day: date, endpoints: Sequence[str]) -> int:
    """What these requests of the gateway's own cost from that day on, in UTC. From
    the sums, because a busy day has millions of requests."""
    start = datetime.combine(day, time.min, UTC)
    rows = UsageRollup.objects.filter(span=Span.DAY, dimension=Dimension.ANSWER)
    found = rows.filter(start__gte=start, name__in=endpoints)
    return found.aggregate(spent=Sum("spent_nano", default=0))["spent"] or 0
