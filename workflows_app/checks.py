"""What the ops of a workflow may not say together, once each is read by itself."""

from collections.abc import Mapping

from gateway.configuration.problems import suggestion
from workflows_app import graph, predicate
from workflows_app.definition import Op
from workflows_app.errors import InvalidWorkflow


def check_op(op: Op) -> None:
    """Its fields may need or exclude each other."""
    problem, field = "", ""
    if not (op.prompt or op.template):
        problem = "it needs a prompt or a template"
    elif op.prompt and op.template:
        problem = "prompt and template exclude each other: a template is all of it"
        field = "template"
    elif (op.on_error == "fallback_op") != bool(op.fallback_op):
        problem = "on_error: fallback_op and fallback_op: NAME belong together"
        field = "fallback_op" if op.fallback_op else "on_error"
    elif op.samples > 1 and op.map:
        problem, field = "samples and map exclude each other", "samples"
    elif op.samples > 1 and op.dedupe:
        problem = "samples are meant to differ, so dedupe has no sense here"
        field = "dedupe"
    elif "item" in op.placeholders() and not op.map:
        problem = "{{item}} stands for an item of map, and there is no map"
        field = next(field for field, name in op.references() if name == "item")
    if problem:
        raise InvalidWorkflow(problem, op.line_of(field), op.name)


def check_fallbacks(ops: Mapping[str, Op]) -> None:
    """An op that stands in for one that failed is there, and another one."""
    for op in ops.values():
        other = op.fallback_op
        if not other:
            continue
        if other == op.name or other not in ops:
            hint = suggestion(other, [name for name in ops if name != op.name])
            raise InvalidWorkflow(
                f'fallback_op names "{other}", and there is no such other op{hint}',
                op.line_of("fallback_op"),
                op.name,
            )


def check_references(
    ops: Mapping[str, Op], parents: graph.Edges, inputs: tuple[str, ...] | None
) -> None:
    """Texts, predicates and maps may only name what is there when the op starts."""
    used_by = {op.fallback_op: op.name for op in ops.values() if op.fallback_op}
    for op in ops.values():
        place = used_by.get(op.name, op.name)  # a stand-in gets what it stands in for
        known = graph.ancestors(place, parents)
        used = [*op.references(), *(("inputs", name) for name in op.shown or ())]
        used += [("map", op.map.over)] if op.map else []
        used += [("when", name) for name in _names_of(op.when)]
        for where, name in used:
            if name in ("input", "item") or name in known:
                continue
            head, _, field = name.partition(".")
            if head == "inputs" and field and (not inputs or field in inputs):
                continue
            reason = "it is not an op before this one" if name in ops else "unknown"
            hint = suggestion(name, ["input", *known])
            raise InvalidWorkflow(
                f'it uses "{name}": {reason}{hint}', op.line_of(where), op.name
            )


def _names_of(when: predicate.Predicate | None) -> list[str]:
    names = when.names() if when else []
    parts = [name.split(".") for name in names]
    return [".".join(part[:2]) if part[0] == "inputs" else part[0] for part in parts]
