"""Where the boxes of a graph stand: in layers, by the steps of Sugiyama, Tagawa and
Toda, "Methods for Visual Understanding of Hierarchical System Structures" (1981).

An edge over several layers takes a lane through each layer between: a place of its own
among the boxes, so that it passes none of them. Edges of one op share their lanes.
"""

from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

Slot = tuple[str, int]  # an op's name and a layer: its box there, or its lane
Parents = Mapping[str, Iterable[str]]

SWEEPS = 8
BOX, LANE = 1.0, 0.2  # heights, in boxes; so are all positions
GAP = 0.3


@dataclass(slots=True)
class Layers:
    """Slots of each layer in their order from above, and the links between layers that
    are neighbours."""

    columns: list[list[Slot]]
    boxes: set[Slot]
    before: dict[Slot, list[Slot]] = field(default_factory=dict)
    after: dict[Slot, list[Slot]] = field(default_factory=dict)

    def link(self, start: Slot, end: Slot) -> None:
        if end not in self.after.setdefault(start, []):
            self.after[start].append(end)
            self.before.setdefault(end, []).append(start)

    def height(self, slot: Slot) -> float:
        return BOX if slot in self.boxes else LANE


def layered(parents: Parents) -> Layers:
    """Each op one layer behind the last of its inputs. `parents` in topological order;
    those it doesn't name are left out."""
    depth: dict[str, int] = {}
    for name, inputs in parents.items():
        known = [depth[each] for each in inputs if each in depth]
        depth[name] = max(known, default=-1) + 1
    columns: list[list[Slot]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for slot in depth.items():
        columns[slot[1]].append(slot)
    found = Layers(columns, set(depth.items()))
    for name, inputs in parents.items():
        for each in inputs:
            if each in depth:
                lay(each, name, depth, found)
    return found


def lay(start: str, end: str, depth: Mapping[str, int], layers: Layers) -> None:
    """An edge, through lanes where it has to pass layers."""
    lanes = [(start, layer) for layer in range(depth[start], depth[end])]
    for lane in lanes[1:]:
        if lane not in layers.before:
            layers.columns[lane[1]].append(lane)
    for one, next_one in pairwise([*lanes, (end, depth[end])]):
        layers.link(one, next_one)


def untangle(layers: Layers) -> None:
    """Order each layer by the middle of its neighbours, forwards and back; the order
    with the fewest crossings stays."""
    best, fewest = [list(each) for each in layers.columns], crossings(layers)
    for sweep in range(SWEEPS):
        forwards = sweep % 2 == 0
        neighbours = layers.before if forwards else layers.after
        columns = layers.columns if forwards else layers.columns[::-1]
        for fixed, column in pairwise(columns):
            place = {slot: number for number, slot in enumerate(fixed)}
            own = {slot: number for number, slot in enumerate(column)}
            column.sort(
                key=lambda slot: middle(
                    [place[each] for each in neighbours.get(slot, ())], own[slot]
                )
            )
        if (crossed := crossings(layers)) < fewest:
            best, fewest = [list(each) for each in layers.columns], crossed
    layers.columns[:] = best


def middle(places: Sequence[float], otherwise: float) -> float:
    return sum(places) / len(places) if places else otherwise


def crossings(layers: Layers) -> int:
    """How often links cross between neighbouring layers."""
    found = 0
    for left, right in pairwise(layers.columns):
        place = {slot: number for number, slot in enumerate(right)}
        passed: list[int] = []
        for slot in left:
            ends = sorted(place[each] for each in layers.after.get(slot, ()))
            found += sum(len(passed) - bisect_right(passed, end) for end in ends)
            for end in ends:
                insort(passed, end)
    return found


def positions(layers: Layers) -> dict[Slot, float]:
    """The middle of each slot, near the middle of its neighbours; 0 is the top."""
    found: dict[Slot, float] = {}
    for column in layers.columns:
        place(column, [0.0] * len(column), layers, found)
    for sweep in range(SWEEPS):
        forwards = sweep % 2 == 0
        neighbours = layers.before if forwards else layers.after
        for column in layers.columns if forwards else layers.columns[::-1]:
            wanted = [
                middle([found[each] for each in neighbours.get(slot, ())], found[slot])
                for slot in column
            ]
            place(column, wanted, layers, found)
    top = min((y - layers.height(slot) / 2 for slot, y in found.items()), default=0.0)
    return {slot: y - top for slot, y in found.items()}


def place(
    column: Sequence[Slot],
    wanted: Sequence[float],
    layers: Layers,
    found: dict[Slot, float],
) -> None:
    """As near to what is wanted as the order and the gaps allow: the least squares, by
    pooling neighbours that are too near."""
    offsets, offset = [], 0.0
    for slot in column:
        offsets.append(offset + layers.height(slot) / 2)
        offset += layers.height(slot) + GAP
    pools: list[tuple[float, int]] = []  # sum and number of what stands together
    for aim, own in zip(wanted, offsets, strict=True):
        total, count = aim - own, 1
        while pools and pools[-1][0] / pools[-1][1] >= total / count:
            before = pools.pop()
            total, count = total + before[0], count + before[1]
        pools.append((total, count))
    starts = [total / count for total, count in pools for _ in range(count)]
    for slot, start, own in zip(column, starts, offsets, strict=True):
        found[slot] = start + own
