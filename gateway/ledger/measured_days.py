"""What the groups of a holdout cost, added up per day."""

from collections import defaultdict
from collections.abc import Iterable
from functools import cache

from gateway.ledger.table import Sums, text
from gateway.measured_rows import MeasuredDay
from routing.chat import Json

SUMS = ("requests", "cost_nano", "cost_squares", "saved_nano", "asked_again")
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
            day["cost_nano"] += cost
            day["cost_squares"] += (cost / NANO_PER_MICRO) ** 2
            day["saved_nano"] += request.get("saved_nano", 0)
        if earlier := request.get("asks_again"):
            sums[earlier["day"], scope, earlier["arm"]]["asked_again"] += 1
    if sums:
        _sums().add([*place, *day.values()] for place, day in sorted(sums.items()))


def arm_of(request: Json) -> str:
    if str(request.get("endpoint", "")).startswith("cache."):
        return MeasuredDay.Arm.DECIDING.value
    return text(request.get("arm", ""))[:ARM_CHARS]


@cache
def _sums() -> Sums:
    return Sums(MeasuredDay, ("day", "scope", "arm"), SUMS)
