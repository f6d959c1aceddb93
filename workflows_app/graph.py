"""The edges of a workflow: from either side, without contradiction, without cycle."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.configuration.problems import suggestion
from workflows_app.definition import Op
from workflows_app.errors import InvalidWorkflow, WorkflowCycle

MAX_OPS = 64
MAX_EDGES = 256
Edges = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Graph:
    parents: Edges
    children: Edges
    order: tuple[str, ...]
    start_ops: tuple[str, ...]


def build(
    ops: Mapping[str, Op],
    start_ops: tuple[str, ...] | None,
    end_ops: tuple[str, ...],
    lines: Mapping[str, int],
) -> Graph:
    """Raises InvalidWorkflow, naming op and line; `lines` are those of the fields."""
    for place, names in (("start_ops", start_ops or ()), ("end_ops", end_ops)):
        for name in names:
            _check_known(name, ops, f"{place} names", lines.get(place, 0))
    fallbacks = {op.fallback_op for op in ops.values() if op.fallback_op}
    parents = _parents(ops)
    for name in fallbacks:
        _check_fallback(ops[name], parents, start_ops or (), end_ops)
    graph = {name: parents[name] for name in ops if name not in fallbacks}
    children = {
        name: tuple(other for other in graph if name in graph[other]) for name in graph
    }
    order = topological(graph, children, ops)
    starts = start_ops
    if starts is None:
        starts = tuple(name for name in graph if not graph[name])
    for name in starts:
        if graph[name]:
            raise InvalidWorkflow(
                f'it is in start_ops, but has input from "{graph[name][0]}"',
                ops[name].line,
                name,
            )
    _check_reached(graph, children, starts, ops)
    return Graph(graph, children, order, starts)


def _check_known(
    name: str, ops: Mapping[str, Op], who: str, line: int = 0, op: str = ""
) -> None:
    if name not in ops:
        message = f'{who} "{name}", and there is no such op{suggestion(name, ops)}'
        raise InvalidWorkflow(message, line, op)


def _parents(ops: Mapping[str, Op]) -> Edges:
    """Each op's inputs, whichever side they were written on, in a stable order."""
    edges: dict[str, dict[str, None]] = {name: {} for name in ops}
    for op in ops.values():
        for other in op.input_ops or ():
            line = op.line_of("input_ops")
            _check_known(other, ops, "input_ops names", line, op.name)
            written = ops[other].output_ops
            if written is not None and op.name not in written:
                raise InvalidWorkflow(
                    f'it takes input from "{other}", but the output_ops of "{other}" '
                    f"(line {ops[other].line_of('output_ops')}) don't name it",
                    line,
                    op.name,
                )
            edges[op.name][other] = None
    for op in ops.values():
        for other in op.output_ops or ():
            line = op.line_of("output_ops")
            _check_known(other, ops, "output_ops names", line, op.name)
            written = ops[other].input_ops
            if written is not None and op.name not in written:
                raise InvalidWorkflow(
                    f'its output goes to "{other}", but the input_ops of "{other}" '
                    f"(line {ops[other].line_of('input_ops')}) don't name it",
                    line,
                    op.name,
                )
            edges[other][op.name] = None
    count = sum(map(len, edges.values()))
    if count > MAX_EDGES:
        raise InvalidWorkflow(f"there are {count} edges; {MAX_EDGES} is the most")
    return {name: tuple(found) for name, found in edges.items()}


def _check_fallback(
    op: Op, parents: Edges, start_ops: tuple[str, ...], end_ops: tuple[str, ...]
) -> None:
    used = parents[op.name] or any(op.name in found for found in parents.values())
    if used or op.name in (*start_ops, *end_ops):
        raise InvalidWorkflow(
            "it stands in for another op, so it has no input_ops and output_ops of its "
            "own and is neither in start_ops nor in end_ops",
            op.line,
            op.name,
        )
    if op.on_error != "fail" or op.when is not None:
        raise InvalidWorkflow(
            "it stands in for another op, so it has no on_error and no when of its own",
            op.line,
            op.name,
        )


def topological(
    parents: Edges, children: Edges, ops: Mapping[str, Op]
) -> tuple[str, ...]:
    """The ops, each after its inputs. Raises WorkflowCycle with the cycle's path."""
    waiting = {name: len(found) for name, found in parents.items()}
    ready = [name for name, count in waiting.items() if not count]
    order: list[str] = []
    while ready:
        name = ready.pop(0)
        order.append(name)
        for child in children[name]:
            waiting[child] -= 1
            if not waiting[child]:
                ready.append(child)
    if len(order) < len(parents):
        left = {name for name, count in waiting.items() if count}
        path = cycle_in(parents, left)
        raise WorkflowCycle(
            f"the ops form a cycle: {' -> '.join(path)}", ops[path[0]].line, path[0]
        )
    return tuple(order)


def cycle_in(parents: Edges, left: set[str]) -> list[str]:
    """A cycle among `left`, each of which has an input there; its first op again last.

    Walking from input to input must come back; the edges point the other way.
    """
    path: list[str] = []
    name = next(each for each in parents if each in left)
    while name not in path:
        path.append(name)
        name = next(parent for parent in parents[name] if parent in left)
    cycle = path[path.index(name) :][::-1]
    first = cycle.index(min(cycle, key=list(parents).index))
    cycle = cycle[first:] + cycle[:first]
    return [*cycle, cycle[0]]


def _check_reached(
    parents: Edges, children: Edges, starts: tuple[str, ...], ops: Mapping[str, Op]
) -> None:
    reached, todo = set(starts), list(starts)
    while todo:
        for child in children[todo.pop()]:
            if child not in reached:
                reached.add(child)
                todo.append(child)
    for name in parents:
        if name not in reached:
            raise InvalidWorkflow(
                "no op of start_ops leads to it", ops[name].line, name
            )


def ancestors(name: str, parents: Edges) -> set[str]:
    found: set[str] = set()
    todo = list(parents[name])
    while todo:
        each = todo.pop()
        if each not in found:
            found.add(each)
            todo += parents[each]
    return found
