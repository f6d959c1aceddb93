"""Tables of who and what used how much."""

from django.db.models import F

from gateway.admin.dashboard.formats import Table, percent, short, time
from gateway.admin.dashboard.numbers import Line, percentile, shortened
from gateway.usage_rows import Dimension
from routing.models import Backend, Tier
from routing.money_format import dollars

Lines = dict[Dimension, list[Line]]
Names = dict[Dimension, dict[str, str]]
ANSWERS = {
    "MISS": "Bought",
    "BYPASS": "Bought, cache bypassed",
    "SHARED": "Shared with one in flight",
    "HIT exact": "Hit, exact",
    "HIT canonical": "Hit, by another wording",
    "HIT alias": "Hit, a learned wording",
    "HIT jaccard": "Hit, similar words",
    "cache.refresh": "Our own: a stale answer bought anew",
    "cache.audit": "Our own: an audit of the cache",
    "cache.judge": "Our own: the cache's judge",
    "cache.embeddings": "Our own: an embedding for the cache",
    "learn.pair": "Our own: an answer to compare with",
    "learn.judge": "Our own: a judge of two answers",
}
TABLES = {
    Dimension.MODEL: "By model",
    Dimension.TIER: "By tier",
    Dimension.KEY: "By key",
    Dimension.TEAM: "By team",
    Dimension.TAG: "By tag",
    Dimension.ANSWER: "By way of answering",
    Dimension.STATUS: "By status",
}
HEADERS = (
    *("Requests", "Share", "Reused", "Errors", "Tokens in / out", "Spent", "Saved"),
    *("Latency p50 / p95", "First token p50 / p95"),
)


def breakdowns(lines: Lines, called: Names) -> list[tuple[str, Table]]:
    """Those without any rows are left out."""
    found: list[tuple[str, Table]] = []
    for dimension, title in TABLES.items():
        if not any(line.name for line in lines[dimension]):
            continue
        names = called.get(dimension, {})
        whole = sum(line.requests for line in lines[dimension])
        rows = [
            (names.get(line.name, line.name or "none"), *cells(line, whole))
            for line in shortened(lines[dimension])
        ]
        headers = (dimension.label, *HEADERS)
        found.append((title, {"headers": headers, "rows": rows}))
    return found


def names_to_show() -> Names:
    """What people call the values that the books know by number or code."""
    backends = Backend.objects.exclude(model=F("name")).values_list("name", "model")
    return {
        Dimension.MODEL: {name: f"{name} ({model})" for name, model in backends},
        Dimension.TIER: {str(tier.rank): str(tier) for tier in Tier.objects.all()},
        Dimension.ANSWER: ANSWERS,
    }


def cells(line: Line, whole: int) -> tuple[str, ...]:
    pairs = (
        " / ".join(time(percentile(counts, share)) for share in (0.5, 0.95))
        for counts in (line.latency, line.first_byte)
    )
    return (
        f"{line.requests:,}",
        percent(line.requests, whole),
        percent(line.reused, line.requests),
        percent(line.errors, line.requests),
        f"{short(line.prompt_tokens)} / {short(line.completion_tokens)}",
        dollars(line.spent_nano),
        dollars(line.saved_nano),
        *pairs,
    )
