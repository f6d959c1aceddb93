"""Columns and lines over time as SVG: no script, no network, dark and light."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

WIDTH, HEIGHT = 640, 200
RIGHT, TOP, BOTTOM = 8, 12, 28
GRID = 4
MOST_LABELS = 8
# Of an axis' numbers, in the size that a phone needs.
CHAR_WIDTH = 10


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of a chart; `values` has one number per column, None for a gap."""

    name: str
    colour: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a place on the time axis and a number lie in the picture."""

    labels: Sequence[str]
    unit: float  # from one line of the grid to the next
    shown: Callable[[float], str]
    above: int = GRID  # lines of the grid over zero, and below it
    below: int = 0

    @property
    def left(self) -> float:
        return 12 + CHAR_WIDTH * max(len(mark) for _, mark in self.marks)

    @property
    def marks(self) -> list[tuple[float, str]]:
        """The numbers of the grid, and how they read."""
        values = [self.unit * line for line in range(-self.below, self.above + 1)]
        return [(value, self.shown(value)) for value in values]

    @property
    def step(self) -> float:
        return (WIDTH - self.left - RIGHT) / max(1, len(self.labels))

    def x(self, place: float) -> float:
        return self.left + place * self.step

    def y(self, value: float) -> float:
        share = (value / self.unit + self.below) / (self.above + self.below)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def columns(
    labels: Sequence[str],
    series: Sequence[Series],
    title: str,
    shown: Callable[[float], str],
    *,
    whole: bool = False,
) -> SafeString:
    """Columns of `whole` numbers or others: stacked up from zero, and down from it."""
    each = [[one.values[place] or 0 for one in series] for place in range(len(labels))]
    highest = max((sum(v for v in values if v > 0) for values in each), default=0)
    lowest = max((sum(-v for v in values if v < 0) for values in each), default=0)
    size = nice(max(highest, lowest))
    grid = steps_to(size) if whole else GRID
    unit = size / grid
    above = grid if highest >= lowest else math.ceil(highest / unit)
    below = grid if highest < lowest else math.ceil(lowest / unit)
    frame = Frame(labels, unit, shown, above, below)
    drawn = [column(frame, place, series) for place in range(len(labels))]
    return svg(frame, drawn, title)


def lines(
    labels: Sequence[str],
    series: Sequence[Series],
    title: str,
    shown: Callable[[float], str],
) -> SafeString:
    """A line each, of what can't be stacked: shares and times. It breaks at gaps."""
    highest = max((v for one in series for v in one.values if v is not None), default=0)
    frame = Frame(labels, nice(highest) / GRID, shown)
    points = [point(frame, place, series) for place in range(len(labels))]
    paths = "".join(path(frame, one) for one in series)
    return svg(frame, [paths, *points], title)


def column(frame: Frame, place: int, series: Sequence[Series]) -> str:
    ends, drawn = {True: 0.0, False: 0.0}, []
    for one in series:
        if value := one.values[place]:
            begins = ends[value > 0]
            ends[value > 0] = begins + value
            y = frame.y(max(begins, begins + value))
            height = frame.y(min(begins, begins + value)) - y
            drawn.append(
                f'<rect x="{frame.x(place + 0.12):.1f}" y="{y:.1f}" '
                f'width="{frame.step * 0.76:.1f}" '
                f'height="{height:.1f}" fill="{one.colour}"/>'
            )
    return with_tooltip(frame, place, series, drawn)


def path(frame: Frame, one: Series) -> str:
    steps, gap = [], True
    for place, value in enumerate(one.values):
        if value is not None:
            x, y = frame.x(place + 0.5), frame.y(value)
            steps.append(f"{'M' if gap else 'L'}{x:.1f} {y:.1f}")
        gap = value is None
    return (
        f'<path d="{"".join(steps)}" fill="none" stroke="{one.colour}" '
        'stroke-width="2" stroke-linejoin="round"/>'
    )


def point(frame: Frame, place: int, series: Sequence[Series]) -> str:
    drawn = [
        f'<circle cx="{frame.x(place + 0.5):.1f}" cy="{frame.y(value):.1f}" r="3" '
        f'fill="{one.colour}"/>'
        for one in series
        for value in [one.values[place]]
        if value is not None
    ]
    return with_tooltip(frame, place, series, drawn)


def with_tooltip(
    frame: Frame, place: int, series: Sequence[Series], drawn: Iterable[str]
) -> str:
    said = ", ".join(
        f"{one.name} {'-' if value is None else frame.shown(value)}"
        for one in series
        for value in [one.values[place]]
    )
    # Nearly invisible, so that a short column has a tooltip along its whole height.
    hover = (
        f'<rect x="{frame.x(place):.1f}" y="{TOP}" width="{frame.step:.1f}" '
        f'height="{HEIGHT - TOP - BOTTOM}" fill="currentColor" fill-opacity="0"/>'
    )
    title = f"<title>{escape(f'{frame.labels[place]}: {said}')}</title>"
    return f"<g>{''.join(drawn)}{hover}{title}</g>"


def axes(frame: Frame) -> str:
    drawn = []
    for value, mark in frame.marks:
        y, opacity = frame.y(value), 0.15 if value or not frame.below else 0.6
        drawn.append(
            f'<line x1="{frame.left}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
            f'stroke="currentColor" stroke-opacity="{opacity}"/>'
            + text(frame.left - 6, y + 4, mark, "end")
        )
    for place, label in enumerate(frame.labels):
        if place % max(1, -(-len(frame.labels) // MOST_LABELS)) == 0:
            drawn.append(text(frame.x(place + 0.5), HEIGHT - 8, label, "middle"))
    return "".join(drawn)


def nice(value: float) -> float:
    """The next number whose quarters read well: 1, 2, 3, 4, 6 or 8 and zeros."""
    if value <= 0:
        return 1.0
    power = 10.0 ** len(str(int(value))) if value >= 1 else 1.0
    while power > value:
        power /= 10
    return next(n * power for n in (1, 2, 3, 4, 6, 8, 10) if n * power >= value)


def steps_to(top: float) -> int:
    """In how many steps a grid leads to this number over whole ones only."""
    return next(steps for steps in (GRID, 3, 5, 2, 1) if top % steps == 0)


def text(x: float, y: float, words: str, anchor: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" '
        f'fill="currentColor" fill-opacity="0.75">{escape(words)}</text>'
    )


def svg(frame: Frame, drawn: Sequence[str], title: str) -> SafeString:
    """Everything that comes from a row has been escaped on its way into `drawn`."""
    return mark_safe(  # noqa: S308
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" class="dash-chart" '
        f'aria-label="{escape(title)}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f"{axes(frame)}{''.join(drawn)}</svg>"
    )
