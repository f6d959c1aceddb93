"""Where routers placed requests, added up per hour."""

from collections import defaultdict
from collections.abc import Iterable
from functools import cache

from gateway.ledger.books import NOT_OF_CLIENTS
from gateway.ledger.rollups import hour_of
from gateway.ledger.table import Sums, moment, text
from gateway.models import PlacedHour
from routing.chat import Json

BASIS_CHARS = 32
TENTHS = PlacedHour.TENTHS


def add_placed_hours(requests: Iterable[Json]) -> None:
    """Of those that clients sent."""
    sums: dict[tuple[str, str], list[int]] = defaultdict(
        lambda: [0] * (1 + len(TENTHS))
    )
    for request in requests:
        ours = str(request.get("endpoint", "")).startswith(NOT_OF_CLIENTS)
        if (placed := request.get("placed")) and not ours:
            basis, tenth, top = placed
            column = TENTHS.index(f"tenth_{tenth}")  # ValueError: no such tenth
            hour = sums[text(basis)[:BASIS_CHARS], hour_of(request["at"])]
            hour[0] += bool(top)
            hour[1 + column] += 1
    if sums:
        rows = sorted(sums.items())
        _sums().add([basis, moment(at), *each] for (basis, at), each in rows)


@cache
def _sums() -> Sums:
    return Sums(PlacedHour, ("basis", "start"), ("tops", *TENTHS))
