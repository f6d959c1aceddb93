"""What each key spent per day of its team: the sums that budgets begin from."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import cache
from zoneinfo import ZoneInfo

from gateway.ledger.statuses import is_error
from gateway.ledger.table import Sums, text
from gateway.models import SpendDay, Team
from routing.chat import Json

TEAM_CHARS = 100
SUMS = ("requests", "errors", "tokens", "spent_nano", "saved_nano")
Place = tuple[str, int, str]


def add_spend_days(requests: Iterable[Json], attempts: Iterable[Json]) -> None:
    """Requests count themselves and their savings; attempts tokens and the money."""
    zones = Zones()
    sums: dict[Place, dict[str, int]] = defaultdict(lambda: dict.fromkeys(SUMS, 0))
    for request in requests:
        day = sums[zones.place(request)]
        day["requests"] += 1
        day["errors"] += is_error(request["status"])
        day["saved_nano"] += request.get("saved_nano", 0)
    for attempt in attempts:
        day = sums[zones.place(attempt)]
        tokens = attempt["prompt_tokens"] + attempt.get("completion_tokens", 0)
        day["tokens"] += tokens
        day["spent_nano"] += attempt["cost_nano"]
    _sums().add([*place, *day.values()] for place, day in sorted(sums.items()))


class Zones:
    """The time zones of teams, read when the first record of a team asks."""

    def __init__(self) -> None:
        self._names: dict[str, str] | None = None

    def place(self, record: Json) -> Place:
        """The local day, key and team of a record."""
        team = text(record.get("team", ""))[:TEAM_CHARS]
        return self._day(record["at"], team), int(record.get("key_id", 0)), team

    def _day(self, at: str, team: str) -> str:
        if team and self._names is None:
            self._names = dict(Team.objects.values_list("name", "time_zone"))
        zone = (self._names or {}).get(team, "UTC")
        if zone == "UTC":
            return date.fromisoformat(at[:10]).isoformat()  # our times are in UTC
        moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
        return moment.astimezone(ZoneInfo(zone)).date().isoformat()


@cache
def _sums() -> Sums:
    return Sums(SpendDay, ("day", "key_id", "team"), SUMS)
