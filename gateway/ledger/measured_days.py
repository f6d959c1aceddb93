"""What the groups of a holdout cost, added up per day."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from gateway.ledger.books import OURS
from gateway.ledger.table import Sums, text
from gateway.measured_rows import MeasuredDay
from routing.chat import Json

SUMS = (
    *("requests", "cost_nano", "cost_squares", "saved_nano"),
    *("unanswered", "asked_again", "bad_feedback"),
)
SCOPE_CHARS, ARM_CHARS = 160, 8
NANO_PER_MICRO = 1000


def add_measured_days(requests: Iterable[Json]) -> None:
    """Of requests in a group, and those of the gateway's own."""
    sums: dict[tuple[str, str, str], dict[str, float]] = defaultdict(
        lambda: dict.fromkeys(SUMS, 0)
    )
    for request in requests:
        scope = text(request["scope"])[:SCOPE_CHARS]
        arm = arm_of(request)
        if arm:
            day, cost = sums[request["at"][:10], scope, arm], request["cost_nano"]
            day["requests"] += 1
            day["unanswered"] += request["status"] != 200
            day["cost_nano"] += cost
            day["cost_squares"] += square(cost)
            day["saved_nano"] += request.get("saved_nano", 0)
    if sums:
        _sums().add([*place, *day.values()] for place, day in sorted(sums.items()))


def add_late_cost(request: Mapping[str, Any], cost: int) -> None:
    """What came to a request's cost after its row was written."""
    if arm := arm_of(request):
        before = request["cost_nano"]
        grown = square(before + cost) - square(before)
        scope = request["scope"]
        add_to_day(request["at"], scope, arm, cost_nano=cost, cost_squares=grown)


def add_to_day(at: datetime, scope: str, arm: str, **sums: float) -> None:
    values = {**dict.fromkeys(SUMS, 0), **sums}
    day = at.astimezone(UTC).date().isoformat()
    _sums().add([[day, scope[:SCOPE_CHARS], arm, *values.values()]])


def square(nano: int) -> float:
    """In square micro-dollars."""
    return (nano / NANO_PER_MICRO) ** 2


def arm_of(request: Mapping[str, Any]) -> str:
    if str(request.get("endpoint", "")).startswith(OURS):
        return MeasuredDay.Arm.DECIDING.value
    return text(request.get("arm", ""))[:ARM_CHARS]


@cache
def _sums() -> Sums:
    return Sums(MeasuredDay, ("day", "scope", "arm"), SUMS)
