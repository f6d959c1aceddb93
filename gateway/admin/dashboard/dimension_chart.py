"""One chart over time of a chosen measure, split by a chosen dimension.

Both are chosen by links, so that it needs no script.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from django.http import HttpRequest
from django.utils.safestring import SafeString

from gateway.admin.dashboard import charts, numbers
from gateway.admin.dashboard.charts import Series
from gateway.admin.dashboard.formats import (
    Table,
    duration,
    percent,
    share,
    short,
    time,
    usd,
)
from gateway.admin.dashboard.numbers import Line, Period, percentile
from gateway.usage_rows import FIRST_BYTE, LATENCY, Dimension
from routing.money_format import dollars
from routing.pricing import NANO_PER_USD

# In the order of their size; each is told from white and from the dark ground.
COLOURS = (
    *("#2563eb", "#d97706", "#059669", "#db2777", "#0891b2", "#9333ea", "#65a30d"),
)
OTHERS, OTHERS_COLOUR = "All others", "#6b7280"


@dataclass(frozen=True, slots=True)
class Measure:
    """A number of a Line. Those that can't be added up are drawn as lines."""

    name: str
    columns: tuple[str, ...]
    value: Callable[[Line], float | None]
    on_axis: Callable[[float], str]
    shown: Callable[[float], str]
    ranked_by: tuple[str, ...] = ("requests",)
    adds_up: bool = False
    whole: bool = False  # it counts something

    def told(self, value: float | None) -> str:
        return "-" if value is None else self.shown(value)


def summed(
    name: str,
    columns: tuple[str, ...],
    on_axis: Callable[[float], str] = short,
    shown: Callable[[float], str] = short,
    scale: float = 1,
) -> Measure:
    def value(line: Line) -> float:
        return sum(getattr(line, column) for column in columns) * scale

    whole = scale == 1
    return Measure(name, columns, value, on_axis, shown, columns, True, whole)


def quotient(name: str, parts: tuple[str, ...]) -> Measure:
    """The share of requests that are counted in `parts`."""

    def value(line: Line) -> float | None:
        counted = sum(getattr(line, part) for part in parts)
        return counted / line.requests if line.requests else None

    columns = ("requests", *parts)
    return Measure(name, columns, value, share, lambda part: percent(part, 1))


def money(name: str, column: str) -> Measure:
    def exact(amount: float) -> str:
        return dollars(round(amount * NANO_PER_USD))

    return summed(name, (column,), usd, exact, 1e-9)


MEASURES: Mapping[str, Measure] = {
    "spent": money("Spent", "spent_nano"),
    "saved": money("Saved", "saved_nano"),
    "requests": summed("Requests", ("requests",)),
    "tokens": summed("Tokens", ("prompt_tokens", "completion_tokens")),
    "reused": quotient("Reused", ("hits", "shared")),
    "errors": quotient("Errors", ("errors",)),
    "latency": Measure(
        "Latency p95",
        LATENCY,
        lambda line: percentile(line.latency, 0.95),
        duration,
        time,
    ),
    "first_token": Measure(
        "First token p95",
        FIRST_BYTE,
        lambda line: percentile(line.first_byte, 0.95),
        duration,
        time,
    ),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One value of the dimension: its colour, and what it comes to."""

    name: str
    colour: str
    values: list[float | None]
    told: str
    share: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A link that changes one of the three, and leaves the other two."""

    name: str
    query: str
    current: bool


@dataclass(frozen=True, slots=True)
class View:
    """What the address asks for; what it makes up is as if it had said nothing."""

    days: int
    by: Dimension
    show: str

    @classmethod
    def asked(cls, request: HttpRequest, dimensions: Mapping[Dimension, str]) -> "View":
        days, by, show = (request.GET.get(name, "") for name in ("days", "by", "show"))
        return cls(
            days=int(days) if days in map(str, numbers.PERIODS) else 1,
            by=Dimension(by) if by in dimensions else Dimension.MODEL,
            show=show if show in MEASURES else "spent",
        )

    def choice(self, name: str, **changed: object) -> Choice:
        now = {"days": self.days, "by": self.by.value, "show": self.show}
        query = "&".join(f"{key}={value}" for key, value in {**now, **changed}.items())
        return Choice(name, f"?{query}", {**now, **changed} == now)


@dataclass(frozen=True, slots=True)
class DimensionChart:
    """Ready for its template."""

    title: str
    by: str
    measure: str
    picture: SafeString | str
    parts: list[Part]
    adds_up: bool
    dimensions: list[Choice]
    measures: list[Choice]
    table: Table


def dimension_chart(
    view: View,
    period: Period,
    dimensions: Mapping[Dimension, str],
    called: Mapping[str, str],
) -> DimensionChart:
    measure = MEASURES[view.show]
    parts = parts_of(measure, view.by, period, called)
    series = [Series(part.name, part.colour, part.values) for part in parts]
    title = f"{measure.name} over time, {dimensions[view.by].lower()}"
    draw = charts.lines
    if measure.adds_up:
        draw = partial(charts.columns, whole=measure.whole)
    return DimensionChart(
        title=title,
        by=view.by.label,
        measure=measure.name,
        picture=draw(period.labels, series, title, measure.on_axis) if parts else "",
        parts=parts,
        adds_up=measure.adds_up,
        dimensions=[view.choice(one.label, by=one.value) for one in dimensions],
        measures=[view.choice(m.name, show=name) for name, m in MEASURES.items()],
        table=table_of(measure, parts, period),
    )


def parts_of(
    measure: Measure, by: Dimension, period: Period, called: Mapping[str, str]
) -> list[Part]:
    names = numbers.largest(by, measure.ranked_by, len(COLOURS), period)
    found, others = numbers.named_over_time(by, names, measure.columns, period)
    lines = [
        (called.get(name, name or "none"), colour, found[name])
        for name, colour in zip(names, COLOURS, strict=False)
    ]
    if any(measure.value(line) for line in others.values()):
        lines.append((OTHERS, OTHERS_COLOUR, others))
    sums = [measure.value(together(times)) for *_, times in lines]
    whole = sum(max(0.0, value or 0) for value in sums)
    return [
        Part(
            name,
            colour,
            [measure.value(line) for line in times.values()],
            measure.told(value),
            percent(value or 0, whole),
        )
        for (name, colour, times), value in zip(lines, sums, strict=True)
    ]


def together(times: numbers.Times) -> Line:
    whole = Line()
    for line in times.values():
        whole.add(line)
    return whole


def table_of(measure: Measure, parts: list[Part], period: Period) -> Table:
    """The picture's numbers, for those who don't see it."""
    rows = [
        (label, *(measure.told(part.values[place]) for part in parts))
        for place, label in enumerate(period.labels)
    ]
    return {"headers": ("Time", *(part.name for part in parts)), "rows": rows}
