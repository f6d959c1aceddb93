"""Which ops look at the input of their run: the others are the same for all inputs."""

from workflows_app.definition import Definition, Op


def depends_on_input(definition: Definition) -> set[str]:
    """The ops whose request differs from input to input."""
    found: set[str] = set()
    for name in definition.order:
        op, parents = definition.ops[name], definition.parents[name]
        if looks_at_input(op) or any(parent in found for parent in parents):
            found.add(name)
    return found


def looks_at_input(op: Op) -> bool:
    named = [*op.placeholders(), op.map.over if op.map else ""]
    if any(name == "input" or name.startswith("inputs.") for name in named):
        return True
    if op.when and any(n.split(".")[0] in ("input", "inputs") for n in op.when.names()):
        return True
    return op.query and not op.template
