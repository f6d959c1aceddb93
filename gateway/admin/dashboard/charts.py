"""Columns over time as SVG: no script, no network, readable in dark and light."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

WIDTH, HEIGHT = 640, 200
LEFT, RIGHT, TOP, BOTTOM = 62, 8, 12, 24
GRID = 4


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of a stacked chart; `values` has one number per column."""

    name: str
    colour: str
    values: Sequence[float]


def columns(
    labels: Sequence[str],
    series: Sequence[Series],
    title: str,
    shown: Callable[[float], str],
) -> SafeString:
    """Stacked columns. A value below zero is drawn as none; the table has it."""
    heights = [
        sum(max(0.0, one.values[place]) for one in series)
        for place in range(len(labels))
    ]
    top = nice(max(heights, default=0))
    parts = [grid(top, shown)]
    step = (WIDTH - LEFT - RIGHT) / max(1, len(labels))
    for place, label in enumerate(labels):
        x = LEFT + place * step
        parts.append(column(x, step, label, place, series, top, shown))
        if place % max(1, -(-len(labels) // 8)) == 0:
            parts.append(text(x + step / 2, HEIGHT - 6, label, "middle"))
    return svg(parts, title)


def column(
    x: float,
    step: float,
    label: str,
    place: int,
    series: Sequence[Series],
    top: float,
    shown: Callable[[float], str],
) -> str:
    base, drawn = float(HEIGHT - BOTTOM), []
    for one in series:
        height = max(0.0, one.values[place]) / top * (HEIGHT - TOP - BOTTOM)
        base -= height
        if height:
            drawn.append(
                f'<rect x="{x + step * 0.12:.1f}" y="{base:.1f}" '
                f'width="{step * 0.76:.1f}" height="{height:.1f}" '
                f'fill="{one.colour}"/>'
            )
    said = ", ".join(f"{one.name} {shown(one.values[place])}" for one in series)
    # Nearly invisible, so that a short column has a tooltip along its whole height.
    hover = (
        f'<rect x="{x:.1f}" y="{TOP}" width="{step:.1f}" '
        f'height="{HEIGHT - TOP - BOTTOM}" fill="currentColor" fill-opacity="0"/>'
    )
    title = f"<title>{escape(f'{label}: {said}')}</title>"
    return f"<g>{''.join(drawn)}{hover}{title}</g>"


def grid(top: float, shown: Callable[[float], str]) -> str:
    lines = []
    for number in range(GRID + 1):
        y = HEIGHT - BOTTOM - number / GRID * (HEIGHT - TOP - BOTTOM)
        lines.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
            'stroke="currentColor" stroke-opacity="0.15"/>'
            + text(LEFT - 6, y + 4, shown(top * number / GRID), "end")
        )
    return "".join(lines)


def nice(value: float) -> float:
    """The next number whose quarters read well: 1, 2, 3, 4, 6 or 8 and zeros."""
    if value <= 0:
        return 1.0
    power = 10.0 ** len(str(int(value))) if value >= 1 else 1.0
    while power > value:
        power /= 10
    return next(n * power for n in (1, 2, 3, 4, 6, 8, 10) if n * power >= value)


def text(x: float, y: float, words: str, anchor: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="11" text-anchor="{anchor}" '
        f'fill="currentColor" fill-opacity="0.75">{escape(words)}</text>'
    )


def svg(parts: Sequence[str], title: str) -> SafeString:
    """Everything that comes from a row has been escaped on its way into `parts`."""
    return mark_safe(  # noqa: S308
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" class="dash-chart" '
        f'aria-label="{escape(title)}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f"{''.join(parts)}</svg>"
    )
