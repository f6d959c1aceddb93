"""What the first page shows, ready for its template."""

from datetime import datetime

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from gateway.admin.dashboard import charts, numbers
from gateway.admin.dashboard.breakdowns import TABLES, breakdowns, names_to_show
from gateway.admin.dashboard.cards import cards
from gateway.admin.dashboard.charts import Series
from gateway.admin.dashboard.dimension_chart import View, dimension_chart
from gateway.admin.dashboard.first_steps import first_steps
from gateway.admin.dashboard.formats import Table, short, usd
from gateway.admin.dashboard.live import live_state
from gateway.admin.dashboard.notices import notices
from gateway.admin.dashboard.numbers import PERIODS, Line, Period, Times
from routing.money_format import dollars
from routing.pricing import nano_to_usd

SPENT, SAVED = "#2563eb", "#16a34a"
REUSE_COLOURS = {
    "Bought": "#2563eb",
    "Hit": "#16a34a",
    "Shared": "#0d9488",
    "Bypass": "#9ca3af",
}
TOOLS = (
    ("Configuration", "configuration", "routing.view_routingpolicy"),
    ("Playground", "playground", "gateway.add_requestlog"),
)


def add_dashboard(
    request: HttpRequest, context: dict[str, object]
) -> dict[str, object]:
    """Unfold's DASHBOARD_CALLBACK."""
    added: dict[str, object] = {
        "title": "Dashboard",
        "notices": notices(request),
    }
    if request.user.has_perm("gateway.view_requestlog"):
        added |= pictures(View.asked(request, TABLES), timezone.now())
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


def pictures(view: View, now: datetime) -> dict[str, object]:
    period, called = Period(view.days, now), names_to_show()
    times = numbers.over_time(period)
    lines = {dimension: numbers.by(dimension, period) for dimension in TABLES}
    return {
        "periods": [view.choice(name, days=days) for days, name in PERIODS.items()],
        "cards": cards(period, lines),
        "money_chart": money_chart(times, period),
        "request_chart": request_chart(times, period),
        "money_legend": ("Spent", "Saved"),
        "request_legend": REUSE_COLOURS,
        "time_table": time_table(times, period),
        "split": dimension_chart(view, period, TABLES, called.get(view.by, {})),
        "breakdowns": breakdowns(lines, called),
    }


def money_chart(times: Times, period: Period) -> object:
    spent = [nano_to_usd(line.spent_nano) for line in times.values()]
    saved = [nano_to_usd(line.saved_nano) for line in times.values()]
    series = [Series("spent", SPENT, spent), Series("saved", SAVED, saved)]
    title = "Dollars spent and saved over time"
    return charts.columns(period.labels, series, title, usd)


def request_chart(times: Times, period: Period) -> object:
    each = [answered(line) for line in times.values()]
    series = [
        Series(name, colour, [counts[place] for counts in each])
        for place, (name, colour) in enumerate(REUSE_COLOURS.items())
    ]
    title = "Requests over time, by how they were answered"
    return charts.columns(period.labels, series, title, short, whole=True)


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
        for label, line in zip(period.labels, times.values(), strict=True)
    ]
    headers = ("Time", "Spent", "Saved", *REUSE_COLOURS, "Errors")
    return {"headers": headers, "rows": rows}
