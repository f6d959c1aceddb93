"""The numbers that stand on top."""

from collections.abc import Iterator

from gateway.admin.dashboard import numbers
from gateway.admin.dashboard.breakdowns import ANSWERS, Lines
from gateway.admin.dashboard.formats import percent, short, time
from gateway.admin.dashboard.numbers import Line, Period, percentile
from gateway.admin.spending import span, usd
from gateway.savings import by_scope, report, together
from gateway.usage_rows import Dimension
from routing.counting import counted
from routing.money_format import dollars

Card = tuple[str, str, str]  # a name, a number and what belongs to it
MOST_KINDS = 5  # told on a card


def cards(period: Period, lines: Lines) -> list[Card]:
    total = numbers.totals(period)
    return [*money(total, period), *work(total, lines), *times(total)]


def money(total: Line, period: Period) -> Iterator[Card]:
    whole = total.spent_nano + total.saved_nano
    yield (
        "Spent",
        dollars(total.spent_nano),
        f"{counted(total.calls, 'call')} to providers",
    )
    yield (
        "Saved, as priced again",
        dollars(total.saved_nano),
        f"{percent(total.saved_nano, whole)} of the baseline tier's price",
    )
    yield measured(period)


def measured(period: Period) -> Card:
    """Beside what prices say, what the holdout says: of its own requests only."""
    arms = together(by_scope(period.now.date(), period.days).values())
    found = report(arms)
    saved = found.get("measured_saved_usd")
    if saved is None:
        return "Saved, as measured", "-", "no request was held out to compare with"
    routed = counted(found["routed"]["requests"], "request")
    more = f"95 % sure: {span(found['measured_saved_95_usd'])}; as priced again " + (
        f"{usd(found['priced_saved_usd'])}, of {routed}"
    )
    if not found["enough"]:
        more = f"too few requests to trust it; {more}"
    return "Saved, as measured", usd(saved), more


def work(total: Line, lines: Lines) -> Iterator[Card]:
    yield "Requests", f"{total.requests:,}", f"{total.errors:,} failed"
    yield (
        "Errors",
        percent(total.errors, total.requests),
        f"{percent(total.failed_calls, total.calls)} of calls",
    )
    yield reuse(total, lines[Dimension.ANSWER])
    yield tier_mix(lines[Dimension.TIER])
    yield (
        "Tokens",
        short(total.prompt_tokens + total.completion_tokens),
        f"{short(total.prompt_tokens)} in, {short(total.completion_tokens)} out, "
        f"{short(total.cached_tokens)} from providers' caches",
    )


def reuse(total: Line, answers: list[Line]) -> Card:
    """Hit rates by kind."""
    kinds = [
        f"{percent(line.requests, total.requests)} "
        + ANSWERS.get(line.name, line.name).removeprefix("Hit, ").lower()
        for line in most_asked([line for line in answers if line.reused])
    ]
    return "Reused", percent(total.reused, total.requests), "; ".join(kinds)


def tier_mix(tiers: list[Line]) -> Card:
    whole = sum(line.requests for line in tiers)
    shares = [
        (percent(line.requests, whole), f"tier {line.name}" if line.name else "no tier")
        for line in most_asked(tiers)
    ]
    if not shares:
        return "Tier mix", "-", ""
    (most, name), *others = shares
    more = "; ".join([name, *(f"{share} {other}" for share, other in others)])
    return "Tier mix", most, more


def most_asked(lines: list[Line]) -> list[Line]:
    asked = [line for line in lines if line.requests]
    return sorted(asked, key=lambda line: -line.requests)[:MOST_KINDS]


def times(total: Line) -> Iterator[Card]:
    for name, counts in (
        ("Latency p50", total.latency),
        ("First token p50", total.first_byte),
    ):
        p50, p95 = (percentile(counts, share) for share in (0.5, 0.95))
        yield name, time(p50), f"p95 {time(p95)}"
