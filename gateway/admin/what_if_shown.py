"""A comparison as the tables of its page."""

from typing import Any

from gateway.whatif.comparison import (
    CACHED,
    NOT_SERVED,
    Comparison,
    Example,
    Outcome,
    Sums,
)
from routing.money_format import dollars


def shown(comparison: Comparison, days: int) -> dict[str, Any]:
    was, saved, preview = comparison.was, comparison.saved, comparison.preview
    return {
        "days": days,
        "counts": counts(comparison),
        "difference": signed(preview.total_nano - saved.total_nano),
        "mix": mix(was, saved, preview),
        "examples": [example(each) for each in comparison.examples],
    }


def counts(comparison: Comparison) -> dict[str, str]:
    """As people read them; "" for none."""
    numbers = {
        "rows": comparison.rows,
        "moved": comparison.moved,
        "changed": comparison.changed,
        "held": comparison.held,
        "hits_gained": comparison.hits_gained,
        "hits_lost": comparison.hits_lost,
        "meanings_unknown": comparison.meanings_unknown,
        "unpriced": comparison.preview.unpriced,
    }
    return {name: f"{number:,}" if number else "" for name, number in numbers.items()}


def mix(was: Sums, saved: Sums, preview: Sums) -> dict[str, Any]:
    """Requests and dollars by tier; the last row is all of them."""
    places = {*was.requests, *saved.requests, *preview.requests}
    tiers = sorted(place for place in places if isinstance(place, int))
    others = [place for place in (CACHED, NOT_SERVED) if place in places]
    rows: list[list[str]] = []
    ordered: list[int | str] = [*tiers, *others]
    for place in ordered:
        cells = [name_of(place)]
        for sums in (was, saved, preview):
            cells += [f"{sums.requests[place]:,}", dollars(sums.nano[place])]
        rows.append(cells)
    total = ["All"]
    for sums in (was, saved, preview):
        total += [f"{sums.requests.total():,}", dollars(sums.total_nano)]
    headers = ["", "As it was", "$", "As saved", "$", "Preview", "$"]
    return {"headers": headers, "rows": [*rows, total]}


def example(each: Example) -> dict[str, Any]:
    return {
        "pk": each.pk,
        "id": each.request_id,
        "at": each.at,
        "saved": told(each.saved),
        "preview": told(each.preview),
        "difference": signed(each.difference_nano),
    }


def told(outcome: Outcome) -> str:
    where = name_of(outcome.place)
    if isinstance(outcome.place, int):
        where = f"{where}, {outcome.backend}"
    cost = "no price" if outcome.nano is None else dollars(outcome.nano)
    return f"{where}: {cost}"


def name_of(place: int | str) -> str:
    names = {CACHED: "From the cache", NOT_SERVED: "Not answered"}
    return names[place] if isinstance(place, str) else f"Tier {place}"


def signed(nano: int) -> str:
    return f"-{dollars(-nano)}" if nano < 0 else f"+{dollars(nano)}"
