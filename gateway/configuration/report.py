"""A plan in lines for people. Secrets were masked when the plan was made."""

from collections.abc import Iterator

from gateway.configuration.difference import Change, Outcome, Plan


def describe(plan: Plan) -> Iterator[str]:
    """What an import does, change by change, then what else is worth knowing."""
    for change in plan.changes:
        if change.outcome is not Outcome.UNCHANGED:
            yield from _describe(change)
    if unchanged := sum(c.outcome is Outcome.UNCHANGED for c in plan.changes):
        yield f"= {unchanged} unchanged"
    for note in plan.notes:
        yield f"note: {note}"


def differences(plan: Plan) -> Iterator[str]:
    """Where the file and the database say different things; the database rules."""
    for change in plan.changes:
        match change.outcome:
            case Outcome.CREATED:
                yield f"{change.label} is in the file only"
            case Outcome.NOT_IN_FILE:
                yield f"{change.label} is in the database only"
            case Outcome.CHANGED:
                for detail in change.details:
                    yield (
                        f"{change.label}: {detail.key} is {detail.before} in the "
                        f"database, {detail.after} in the file"
                    )


def _describe(change: Change) -> Iterator[str]:
    title = f"{change.outcome.value} {change.label}"
    match change.outcome:
        case Outcome.CREATED:
            given = ", ".join(f"{d.key} {d.after}" for d in change.details)
            yield f"{title}: {given}" if given else title
        case Outcome.NOT_IN_FILE:
            yield f"{title}: not in the file, {_fate(change)}"
        case _:
            yield title
            for detail in change.details:
                yield f"    {detail.key}: {detail.before} -> {detail.after}"


def _fate(change: Change) -> str:
    if change.gone:
        return "will be deleted"
    return "will be disabled" if change.rows else "stays as it is"
