"""Pictures of a workflow: its graph in layers, and a run on a time axis. Pure SVG."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

COLOURS = {
    "succeeded": "#16a34a",
    "merged": "#0d9488",
    "running": "#2563eb",
    "failed": "#dc2626",
    "cancelled": "#d97706",
    "skipped": "#9ca3af",
    "pruned": "#9ca3af",
}
PLAIN = "#6b7280"
WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 168, 46, 56, 18, 12
BAR, LABEL, AXIS = 18, 150, 620


@dataclass(frozen=True, slots=True)
class Node:
    """An op in a picture. `href` leads to its story, `critical` makes it bold."""

    name: str
    parents: tuple[str, ...] = ()
    note: str = ""
    state: str = ""
    href: str = ""
    critical: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    name: str
    started_s: float
    ended_s: float
    state: str = ""
    note: str = ""
    critical: bool = False


def layers(nodes: list[Node]) -> list[list[Node]]:
    """Ops by their distance from a start; within a layer near their inputs."""
    depth: dict[str, int] = {}
    for node in nodes:  # in topological order
        above = [depth[name] for name in node.parents if name in depth]
        depth[node.name] = max(above, default=-1) + 1
    columns: list[list[Node]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for node in nodes:
        columns[depth[node.name]].append(node)
    place: dict[str, float] = {}
    for column in columns:
        for node in column:
            inputs = [place[name] for name in node.parents if name in place]
            place[node.name] = sum(inputs) / len(inputs) if inputs else len(place)
        column.sort(key=lambda node: place[node.name])
        for number, node in enumerate(column):
            place[node.name] = number - len(column) / 2
    return columns


def graph(nodes: Iterable[Node]) -> SafeString:
    """The ops from left to right, with an arrow for each edge."""
    columns = layers(list(nodes))
    tallest = max(map(len, columns), default=0)
    height = tallest * (HEIGHT + GAP_Y) - GAP_Y
    spots: dict[str, tuple[int, int]] = {}
    for x, column in enumerate(columns):
        own = len(column) * (HEIGHT + GAP_Y) - GAP_Y
        for y, node in enumerate(column):
            top = MARGIN + (height - own) // 2 + y * (HEIGHT + GAP_Y)
            spots[node.name] = MARGIN + x * (WIDTH + GAP_X), top
    parts = [ARROW]
    for column in columns:
        for node in column:
            parts += [
                edge(spots[n], spots[node.name]) for n in node.parents if n in spots
            ]
    parts += [box(node, *spots[node.name]) for column in columns for node in column]
    width = len(columns) * (WIDTH + GAP_X) - GAP_X
    return svg(width + 2 * MARGIN, height + 2 * MARGIN, parts, "Graph of the ops")


ARROW = (
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
    f'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="{PLAIN}"/>'
    "</marker></defs>"
)


def edge(start: tuple[int, int], end: tuple[int, int]) -> str:
    x1, y1 = start[0] + WIDTH, start[1] + HEIGHT // 2
    x2, y2 = end[0], end[1] + HEIGHT // 2
    middle = (x1 + x2) // 2
    return (
        f'<path d="M{x1} {y1}C{middle} {y1} {middle} {y2} {x2 - 1} {y2}" fill="none" '
        f'stroke="{PLAIN}" stroke-opacity="0.6" marker-end="url(#arrow)"/>'
    )


def box(node: Node, x: int, y: int) -> str:
    colour = COLOURS.get(node.state, PLAIN)
    dashed = ' stroke-dasharray="4 3"' if node.state in ("skipped", "pruned") else ""
    drawn = (
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6" '
        f'fill="{colour}" fill-opacity="0.12" stroke="{colour}" '
        f'stroke-width="{2.5 if node.critical else 1}"{dashed}/>'
        f"{text(x + 10, y + 19, node.name, weight=600)}"
        f"{text(x + 10, y + 36, node.note, size=11)}"
        f"<title>{escape(f'{node.name}: {node.state} {node.note}')}</title>"
    )
    if node.href:
        return f'<a href="{escape(node.href)}">{drawn}</a>'
    return f"<g>{drawn}</g>"


def gantt(bars: list[Bar]) -> SafeString:
    """The ops of a run on a time axis; those of the critical path have a dark edge."""
    end = max((bar.ended_s for bar in bars), default=0.0) or 1.0
    parts = []
    for number, bar in enumerate(sorted(bars, key=lambda bar: bar.started_s)):
        y = MARGIN + number * (BAR + 8)
        x = LABEL + AXIS * bar.started_s / end
        width = max(2.0, AXIS * (bar.ended_s - bar.started_s) / end)
        colour = COLOURS.get(bar.state, PLAIN)
        stroke = ' stroke="currentColor" stroke-width="2"' if bar.critical else ""
        parts.append(
            f"<g>{text(MARGIN, y + 13, bar.name, size=12)}"
            f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{BAR}" rx="3" '
            f'fill="{colour}" fill-opacity="0.6"{stroke}/>'
            f"<title>{escape(f'{bar.name}: {bar.note}')}</title></g>"
        )
    bottom = MARGIN + len(bars) * (BAR + 8)
    for part in range(5):
        x = LABEL + AXIS * part / 4
        parts.append(text(x, bottom + 14, f"{end * part / 4:.2f} s", size=11))
    return svg(LABEL + AXIS + 60, bottom + 26, parts, "The ops on a time axis")


def text(x: float, y: float, words: str, size: int = 13, weight: int = 400) -> str:
    shown = words if len(words) <= 24 else words[:23] + "…"
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" font-weight="{weight}" '
        f'fill="currentColor">{escape(shown)}</text>'
    )


def svg(width: int, height: int, parts: list[str], label: str) -> SafeString:
    """Everything that comes from a row has been escaped on its way into `parts`."""
    return mark_safe(  # noqa: S308
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{label}" '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f"{''.join(parts)}</svg>"
    )
