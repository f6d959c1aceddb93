"""What the first page shows, ready for its template."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import F
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from gateway.admin.dashboard import charts, numbers
from gateway.admin.dashboard.charts import Series
from gateway.admin.dashboard.first_steps import first_steps
from gateway.admin.dashboard.live import live_state
from gateway.admin.dashboard.notices import notices
from gateway.admin.dashboard.numbers import PERIODS, Line, Period, percentile
from gateway.usage_rows import Dimension
from routing.models import Backend, Tier
from routing.money_format import dollars

Table = dict[str, Sequence[object]]
SPENT, SAVED = "#2563eb", "#16a34a"
REUSE_COLOURS = {
    "Bought": "#2563eb",
    "Hit": "#16a34a",
    "Shared": "#0d9488",
    "Bypass": "#9ca3af",
}
ANSWERS = {
    "MISS": "Bought",
    "BYPASS": "Bought, cache bypassed",
    "SHARED": "Shared with one in flight",
    "HIT exact": "Hit, exact",
    "HIT canonical": "Hit, by another wording",
    "HIT alias": "Hit, a learned wording",
    "HIT jaccard": "Hit, similar words",
}
TOOLS = (
    ("Configuration", "configuration", "routing.view_routingpolicy"),
    ("Playground", "playground", "gateway.add_requestlog"),
)
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
    *("Requests", "Reused", "Errors", "Tokens in / out", "Spent", "Saved"),
    *("Latency p50 / p95", "First token p50 / p95"),
)


def add_dashboard(
    request: HttpRequest, context: dict[str, object]
) -> dict[str, object]:
    """Unfold's DASHBOARD_CALLBACK."""
    added: dict[str, object] = {
        "title": "Dashboard",
        "notices": list(notices(request)),
    }
    if request.user.has_perm("gateway.view_requestlog"):
        added |= pictures(period_of(request, timezone.now()))
    if request.user.has_perm("routing.add_backend"):
        added["first_steps"] = first_steps(request)
    added["links"] = [
        (name, reverse(address))
        for name, address, permission in TOOLS
        if request.user.has_perm(permission)
    ]
    if request.user.has_perm("routing.view_backend"):
        added["live"] = live_state(request)
    return {**context, **added}


def period_of(request: HttpRequest, now: datetime) -> Period:
    asked = request.GET.get("days", "")
    return Period(int(asked) if asked in map(str, PERIODS) else 1, now)


def pictures(period: Period) -> dict[str, object]:
    times = numbers.over_time(period)
    return {
        "periods": [
            {"days": days, "name": name, "current": days == period.days}
            for days, name in PERIODS.items()
        ],
        "cards": cards(numbers.totals(period)),
        "money_chart": money_chart(times, period),
        "request_chart": request_chart(times, period),
        "money_legend": ("Spent", "Saved"),
        "request_legend": REUSE_COLOURS,
        "time_table": time_table(times, period),
        "breakdowns": breakdowns(period),
    }


def cards(total: Line) -> list[tuple[str, str, str]]:
    """A name, a number and what belongs to it."""
    p50, p95 = (percentile(total.latency, share) for share in (0.5, 0.95))
    first50, first95 = (percentile(total.first_byte, share) for share in (0.5, 0.95))
    whole = total.spent_nano + total.saved_nano
    return [
        ("Spent", dollars(total.spent_nano), f"{total.calls:,} calls to providers"),
        (
            "Saved",
            dollars(total.saved_nano),
            f"{percent(total.saved_nano, whole)} of the baseline tier's price",
        ),
        ("Requests", f"{total.requests:,}", f"{total.errors:,} failed"),
        (
            "Reused",
            percent(total.reused, total.requests),
            f"{total.reused:,} hits and shared",
        ),
        (
            "Errors",
            percent(total.errors, total.requests),
            f"{percent(total.failed_calls, total.calls)} of calls",
        ),
        ("Latency p50", time(p50), f"p95 {time(p95)}"),
        ("First token p50", time(first50), f"p95 {time(first95)}"),
        (
            "Tokens",
            short(total.prompt_tokens + total.completion_tokens),
            f"{short(total.prompt_tokens)} in, {short(total.completion_tokens)} out, "
            f"{short(total.cached_tokens)} from providers' caches",
        ),
    ]


Times = dict[datetime, Line]


def money_chart(times: Times, period: Period) -> object:
    spent = [line.spent_nano / 1e9 for line in times.values()]
    saved = [line.saved_nano / 1e9 for line in times.values()]
    series = [Series("spent", SPENT, spent), Series("saved", SAVED, saved)]
    title = "Dollars spent and saved over time"
    return charts.columns(labels(times, period), series, title, usd)


def request_chart(times: Times, period: Period) -> object:
    each = [answered(line) for line in times.values()]
    series = [
        Series(name, colour, [counts[place] for counts in each])
        for place, (name, colour) in enumerate(REUSE_COLOURS.items())
    ]
    title = "Requests over time, by how they were answered"
    return charts.columns(labels(times, period), series, title, short)


def answered(line: Line) -> tuple[int, ...]:
    """In the order of REUSE_COLOURS."""
    return line.bought, line.hits, line.shared, line.bypassed


def time_table(times: Times, period: Period) -> Table:
    """The charts' numbers, for those who don't see the charts."""
    rows = [
        (
            label,
            dollars(line.spent_nano),
            dollars(line.saved_nano),
            *(f"{count:,}" for count in answered(line)),
            f"{line.errors:,}",
        )
        for label, line in zip(labels(times, period), times.values(), strict=True)
    ]
    headers = ("Time", "Spent", "Saved", *REUSE_COLOURS, "Errors")
    return {"headers": headers, "rows": rows}


def labels(times: Times, period: Period) -> list[str]:
    pattern = "%H:00" if period.days == 1 else "%d %b"
    return [f"{start:{pattern}}" for start in times]


def breakdowns(period: Period) -> list[tuple[str, Table]]:
    """Tables of who and what used how much; those without any rows are left out."""
    shown = names_to_show()
    found: list[tuple[str, Table]] = []
    for dimension, title in TABLES.items():
        lines = numbers.by(dimension, period)
        if not any(line.name for line in lines):
            continue
        called = shown.get(dimension, {})
        rows = [
            (called.get(line.name, line.name or "none"), *cells(line))
            for line in numbers.shortened(lines)
        ]
        headers = (dimension.label, *HEADERS)
        found.append((title, {"headers": headers, "rows": rows}))
    return found


def names_to_show() -> dict[Dimension, dict[str, str]]:
    """What people call the values that the books know by number or code."""
    backends = Backend.objects.exclude(model=F("name")).values_list("name", "model")
    return {
        Dimension.MODEL: {name: f"{name} ({model})" for name, model in backends},
        Dimension.TIER: {str(tier.rank): str(tier) for tier in Tier.objects.all()},
        Dimension.ANSWER: ANSWERS,
    }


def cells(line: Line) -> tuple[str, ...]:
    pairs = (
        " / ".join(time(percentile(counts, share)) for share in (0.5, 0.95))
        for counts in (line.latency, line.first_byte)
    )
    return (
        f"{line.requests:,}",
        percent(line.reused, line.requests),
        percent(line.errors, line.requests),
        f"{short(line.prompt_tokens)} / {short(line.completion_tokens)}",
        dollars(line.spent_nano),
        dollars(line.saved_nano),
        *pairs,
    )


def percent(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def time(milliseconds: float | None) -> str:
    if milliseconds is None:
        return "-"
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    return f"{milliseconds / 1000:.1f} s"


def short(number: float) -> str:
    """`12,345`; from a hundred thousand on `123.5 k` and `1.2 M`."""
    for size, unit, letter in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e5, 1e3, "k")):
        if number >= size:
            return f"{number / unit:,.1f} {letter}"
    return f"{number:,.0f}" if number == int(number) else f"{number:,.2f}"


def usd(value: float) -> str:
    """On an axis: as many places as its steps need."""
    if value == int(value):
        return f"${value:,.0f}"
    return dollars(round(value * 1e9))
