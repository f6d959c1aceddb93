"""Pictures of a workflow: its graph in layers, and a run on a time axis. Pure SVG."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from workflows_app import layout

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
WIDTH, HEIGHT, GAP_X, MARGIN = 184, 62, 56, 12
STEP = WIDTH + GAP_X  # from layer to layer
BAR, LABEL, AXIS = 18, 150, 620


@dataclass(frozen=True, slots=True)
class Node:
    """An op in a picture, with two lines below its name. `href` leads to its story,
    `critical` makes it bold."""

    name: str
    parents: tuple[str, ...] = ()
    note: str = ""
    detail: str = ""
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


def graph(nodes: Iterable[Node]) -> SafeString:
    """The ops from left to right, with an arrow for each edge."""
    known = {node.name: node for node in nodes}
    layers = layout.layered({name: node.parents for name, node in known.items()})
    layout.untangle(layers)
    middles = {
        slot: MARGIN + round(y * HEIGHT) for slot, y in layout.positions(layers).items()
    }
    parts = [ARROW]
    for start, ends in layers.after.items():
        left = column_at(start[1])
        if start not in layers.boxes:
            parts.append(lane(left, middles[start]))
        for end in ends:
            spots = (left + WIDTH, middles[start]), (left + STEP, middles[end])
            parts.append(edge(*spots, arrow=end in layers.boxes))
    for slot in chain.from_iterable(layers.columns):
        if slot in layers.boxes:
            place = column_at(slot[1]), middles[slot] - HEIGHT // 2
            parts.append(box(known[slot[0]], *place))
    bottom = max((middles[each] for each in middles), default=0) + HEIGHT // 2
    width = len(layers.columns) * STEP - GAP_X
    return svg(width + 2 * MARGIN, bottom + MARGIN, parts, "Graph of the ops")


def column_at(layer: int) -> int:
    return MARGIN + layer * STEP


ARROW = (
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
    f'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="{PLAIN}"/>'
    "</marker></defs>"
)


def edge(start: tuple[int, int], end: tuple[int, int], *, arrow: bool) -> str:
    """Between two layers that are neighbours."""
    (x1, y1), (x2, y2) = start, end
    middle = (x1 + x2) // 2
    head = ' marker-end="url(#arrow)"' if arrow else ""
    return (
        f'<path d="M{x1} {y1}C{middle} {y1} {middle} {y2} {x2 - arrow} {y2}" '
        f'fill="none" stroke="{PLAIN}" stroke-opacity="0.6"{head}/>'
    )


def lane(x: int, y: int) -> str:
    """The part of an edge that passes a layer."""
    return f'<path d="M{x} {y}H{x + WIDTH}" stroke="{PLAIN}" stroke-opacity="0.6"/>'


def box(node: Node, x: int, y: int) -> str:
    colour = COLOURS.get(node.state, PLAIN)
    dashed = ' stroke-dasharray="4 3"' if node.state in ("skipped", "pruned") else ""
    facts = ", ".join(each for each in (node.state, node.note, node.detail) if each)
    drawn = (
        # Edges pass behind a box, not through its words.
        f'<rect class="graph-back" x="{x}" y="{y}" width="{WIDTH}" '
        f'height="{HEIGHT}" rx="6"/>'
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6" '
        f'fill="{colour}" fill-opacity="0.12" stroke="{colour}" '
        f'stroke-width="{2.5 if node.critical else 1}"{dashed}/>'
        f"{text(x + 10, y + 19, node.name, weight=600)}"
        f"{text(x + 10, y + 36, node.note, size=11)}"
        f"{text(x + 10, y + 52, node.detail, size=11)}"
        f"<title>{escape(f'{node.name}: {facts}')}</title>"
    )
    if node.href:
        return f'<a href="{escape(node.href)}">{drawn}</a>'
    return f"<g>{drawn}</g>"


def gantt(bars: list[Bar]) -> SafeString:
    """The ops of a run on a time axis; those of the critical path are outlined."""
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
        parts.append(text(x, bottom + 14, duration(end * part / 4), size=11))
    return svg(LABEL + AXIS + 60, bottom + 26, parts, "The ops on a time axis")


def duration(seconds: float) -> str:
    """For people: milliseconds as long as it takes less than a second."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:,.2f} s"


def text(x: float, y: float, words: str, size: int = 13, weight: int = 400) -> str:
    shown = words if len(words) <= 24 else words[:23] + "…"
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" font-weight="{weight}" '
        f'fill="currentColor">{escape(shown)}</text>'
    )


def svg(width: int, height: int, parts: list[str], label: str) -> SafeString:
    """Everything that comes from a row has been escaped on its way into `parts`."""
    # What an image contains is nothing to a screen reader; links must be.
    role = "group" if any("<a " in part for part in parts) else "img"
    return mark_safe(  # noqa: S308
        f'<svg xmlns="http://www.w3.org/2000/svg" role="{role}" aria-label="{label}" '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f"{''.join(parts)}</svg>"
    )
