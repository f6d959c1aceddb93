"""Who spent what today, this week and this month, and how much of it is left."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, Sum
from django.urls import reverse

from gateway.limits.windows import Period, first_day
from gateway.models import ApiKey, SpendDay, Team
from routing.models import RoutingPolicy
from routing.money_format import dollars
from routing.pricing import NANO_PER_USD

PERIODS: tuple[Period, ...] = ("day", "week", "month")
MOST_ROWS = 200
Spent = dict[Period, int]


@dataclass(frozen=True, slots=True)
class Cell:
    """One period: what was spent, of how much, and whether that is nearly all."""

    spent: str
    limit: str = ""
    percent: int = 0
    state: str = ""  # "near" or "over"


@dataclass(frozen=True, slots=True)
class Line:
    """A key or a team. `share` is of the budget that is nearest to its end."""

    name: str
    team: str
    link: str
    cells: list[Cell] = field(default_factory=list)
    share: float = 0.0
    spent: int = 0


def overview(now: datetime) -> dict[str, object]:
    """Teams and keys, those nearest to an end first. Sums of days, whatever the log."""
    near = RoutingPolicy.load().budget_cap_share
    teams = list(Team.objects.all())
    zones = {team.name: ZoneInfo(team.time_zone) for team in teams}
    by_key, by_team = spent_by(now, zones)
    of_teams = [line(team, by_team[team.name], near) for team in teams]
    keys = ApiKey.objects.filter(revoked_at=None).select_related("team")
    of_keys = [line(key, by_key[key.pk], near) for key in keys]
    return {
        "spend_tables": [
            ("Teams", first(of_teams), len(of_teams)),
            ("Keys", first(of_keys), len(of_keys)),
        ]
    }


def near_end(now: datetime) -> Iterator[str]:
    """A sentence for each budget that is nearly spent, the worst first."""
    tables: Sequence[tuple[str, list[Line], int]]
    tables = overview(now)["spend_tables"]  # type: ignore[assignment]
    for title, lines, _ in tables:
        for each in lines:
            for period, cell in zip(PERIODS, each.cells, strict=True):
                if cell.state:
                    yield (
                        f"The {period}'s budget of the {title[:-1].lower()} "
                        f"{each.name}: {cell.spent} of {cell.limit} "
                        f"({cell.percent} %) is spent."
                    )


def first(lines: Iterable[Line]) -> list[Line]:
    chosen = sorted(lines, key=lambda each: (-each.share, -each.spent, each.name))
    return chosen[:MOST_ROWS]


def spent_by(
    now: datetime, zones: dict[str, ZoneInfo]
) -> tuple[dict[int, Spent], dict[str, Spent]]:
    """Nano-dollars per key and per team; each in the periods of its own time zone."""
    by_key: dict[int, Spent] = defaultdict(lambda: dict.fromkeys(PERIODS, 0))
    by_team: dict[str, Spent] = defaultdict(lambda: dict.fromkeys(PERIODS, 0))
    todays: dict[date, list[str]] = defaultdict(list)
    todays[now.date()].append("")
    for team, zone in zones.items():
        todays[now.astimezone(zone).date()].append(team)
    for today, teams in todays.items():
        for key_id, team, *sums in sums_of(today, teams):
            for period, nano in zip(PERIODS, sums, strict=True):
                by_key[key_id][period] += nano or 0
                by_team[team][period] += nano or 0
    return by_key, by_team


def sums_of(today: date, teams: list[str]) -> Iterable[tuple[Any, ...]]:
    """Key, team and a sum per period, for the teams whose day it is."""
    starts = [first_day(period, today) for period in PERIODS]
    rows = SpendDay.objects.filter(day__gte=min(starts), team__in=teams).order_by()
    added = {
        f"sum_{period}": Sum("spent_nano", filter=Q(day__gte=start))
        for period, start in zip(PERIODS, starts, strict=True)
    }
    return (
        rows.values("key_id", "team")
        .annotate(**added)
        .values_list("key_id", "team", *added)
    )


def line(row: ApiKey | Team, spent: Spent, near: float) -> Line:
    kind = "apikey" if isinstance(row, ApiKey) else "team"
    team = row.team.name if isinstance(row, ApiKey) and row.team else ""
    cells, shares = [], [0.0]
    for period in PERIODS:
        limit = getattr(row, f"budget_{period}_usd")
        if limit is None:
            cells.append(Cell(dollars(spent[period])))
            continue
        share = spent[period] / (int(limit * NANO_PER_USD) or 1) if limit else 1.0
        shares.append(share)
        state = "over" if share >= 1 else "near" if share >= near else ""
        told = dollars(int(limit * NANO_PER_USD))
        cells.append(Cell(dollars(spent[period]), told, round(100 * share), state))
    link = reverse(f"admin:gateway_{kind}_change", args=(row.pk,))
    return Line(row.name, team, link, cells, max(shares), spent["month"])
