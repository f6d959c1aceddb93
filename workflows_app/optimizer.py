"""The plan of a run: what need not be done, what it takes, and what goes first.

Pure: a definition and facts in, a plan out. Pruning and merging never change an
output: only ops that no end needs are dropped, and only ops that would send the same
request are done once.
"""

import hashlib
from dataclasses import dataclass, field

import orjson

from routing.chat import Json
from routing.pricing import nano_to_usd
from workflows_app import template
from workflows_app.definition import Definition, Op
from workflows_app.estimates import Facts
from workflows_app.prefixes import prefix_key
from workflows_app.tiers import Work, choose_tiers


@dataclass(frozen=True, slots=True)
class Plan:
    """`merged` maps an op to the one that is done for it; `tiers` holds the tier that
    an op is expected at, `floors` those that a deadline raised. `left_s` is each op's
    time from its start to the end of the run, by its longest way."""

    order: tuple[str, ...]
    pruned: tuple[str, ...] = ()
    merged: dict[str, str] = field(default_factory=dict)
    cached: tuple[str, ...] = ()
    signatures: dict[str, str] = field(default_factory=dict)
    tiers: dict[str, int] = field(default_factory=dict)
    floors: dict[str, int] = field(default_factory=dict)
    left_s: dict[str, float] = field(default_factory=dict)
    critical_path: tuple[str, ...] = ()
    makespan_s: float = 0.0
    cost_nano: tuple[int, int, int] = (0, 0, 0)  # at least, expected, at most
    prefix_groups: tuple[tuple[str, ...], ...] = ()
    meets_deadline: bool = True

    def to_json(self) -> Json:
        low, expected, high = map(nano_to_usd, self.cost_nano)
        return {
            "order": list(self.order),
            "pruned": list(self.pruned),
            "merged": self.merged,
            "cached": list(self.cached),
            "tiers": self.tiers,
            "raised": self.floors,
            "critical_path": list(self.critical_path),
            "critical_path_s": round(self.makespan_s, 3),
            "meets_deadline": self.meets_deadline,
            "cost_usd": {"min": low, "expected": expected, "max": high},
            "prefix_groups": [list(group) for group in self.prefix_groups],
        }


def plan(
    definition: Definition,
    facts: Facts,
    *,
    deadline_s: float | None = None,
    max_cost_nano: int | None = None,
) -> Plan:
    needed = alive(definition)
    signatures, merged = merge(definition, needed)
    order = tuple(n for n in definition.order if n in needed and n not in merged)
    children = what_follows(definition, order, merged)
    work = Work(definition, order, children, signatures, facts)
    tiers, floors = choose_tiers(work, deadline_s, max_cost_nano)
    left = work.left_s(tiers)
    path = work.critical_path(left)
    makespan = left[path[0]] if path else 0.0
    return Plan(
        order=order,
        pruned=tuple(name for name in definition.order if name not in needed),
        merged=merged,
        cached=tuple(name for name in order if name in facts.cached),
        signatures=signatures,
        tiers=tiers,
        floors=floors,
        left_s=left,
        critical_path=path,
        makespan_s=makespan,
        cost_nano=work.cost(tiers),
        prefix_groups=prefix_groups(definition, order),
        meets_deadline=deadline_s is None or makespan <= deadline_s,
    )


def what_follows(
    definition: Definition, order: tuple[str, ...], merged: dict[str, str]
) -> dict[str, tuple[str, ...]]:
    """The ops that wait for each op: for one that is done for others, theirs too."""
    children = {name: list(definition.children[name]) for name in order}
    for duplicate, kept in merged.items():
        children[kept] += definition.children[duplicate]
    return {
        name: tuple(child for child in dict.fromkeys(found) if child in order)
        for name, found in children.items()
    }


def alive(definition: Definition) -> set[str]:
    """The ends, and all that leads to one."""
    needed, todo = set(definition.end_ops), list(definition.end_ops)
    while todo:
        for parent in definition.parents[todo.pop()]:
            if parent not in needed:
                needed.add(parent)
                todo.append(parent)
    return needed


def merge(
    definition: Definition, needed: set[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Each op's signature, and which ops another one is done for."""
    signatures: dict[str, str] = {}
    first: dict[str, str] = {}
    merged: dict[str, str] = {}
    for name in definition.order:
        if name not in needed:
            continue
        op = definition.ops[name]
        signature = signature_of(op, definition, merged)
        signatures[name] = signature
        if not may_merge(op):
            continue
        kept = first.setdefault(signature, name)
        if kept != name:
            merged[name] = kept
    return signatures, merged


def may_merge(op: Op) -> bool:
    """Only what would say the same twice: not samples, nor what is meant to vary."""
    if op.samples > 1 or op.dedupe is False or op.cache == "off" or op.fallback_op:
        return False
    return op.dedupe is True or op.temperature == 0


def signature_of(op: Op, definition: Definition, merged: dict[str, str]) -> str:
    """Equal for ops that would send equal requests and treat the answers alike.

    A placeholder stands for a value, so the ops that are one count as one; the name
    of a parent that is shown in a block is a part of the prompt.
    """

    def canonical(name: str) -> str:
        return merged.get(name, name)

    def texts(text: str) -> str:
        return template.fill(text, lambda name: f"\x00{canonical(name)}\x00")

    parents = definition.parents[op.name]
    placed = set(op.placeholders()) | ({op.map.over} if op.map else set())
    shown = op.shown if op.shown is not None else parents
    blocks = [] if op.template else [n for n in shown if n not in placed]
    parts = [
        texts(op.system),
        texts(op.prompt),
        texts(op.template),
        op.target,
        op.max_tokens,
        op.temperature,
        op.query,
        [(name, canonical(name)) for name in blocks],
        sorted(set(map(canonical, parents))),
        op.when_text,
        [canonical(op.map.over), op.map.max_items, op.map.split] if op.map else None,
        op.json_schema,
        [op.timeout_s, op.retries, op.on_error, op.cache, op.dedupe],
        [op.samples, op.vote],
    ]
    return hashlib.sha256(orjson.dumps(parts)).hexdigest()[:32]


def prefix_groups(
    definition: Definition, order: tuple[str, ...]
) -> tuple[tuple[str, ...], ...]:
    """Ops whose requests begin with the same long text: they go to one backend."""
    groups: dict[str, list[str]] = {}
    for name in order:
        if key := prefix_key(definition.ops[name]):
            groups.setdefault(key, []).append(name)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)
