"""What of a migration a worker of the last version would not survive.

Workers of two versions share a database while a server is upgraded, and after a
roll-back the last version has it alone: it goes on to read and to write what it knows.
A migration that does more has `safe_for_the_last_version`, a sentence that says why.
"""

from collections.abc import Collection, Iterator
from functools import partial
from typing import Any

from django.db.migrations import Migration
from django.db.migrations.operations import (
    AddField,
    AddIndex,
    AlterField,
    AlterModelManagers,
    AlterModelOptions,
    CreateModel,
    RemoveIndex,
    RenameIndex,
    SeparateDatabaseAndState,
)
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import NOT_PROVIDED, Field

# Nothing of these is in the database, or nobody asks for it by name.
HARMLESS = (AddIndex, RemoveIndex, RenameIndex, AlterModelOptions, AlterModelManagers)
# What a field says to forms and to Python alone.
SAID = {"blank", "choices", "default", "editable", "error_messages", "help_text"}
SAID |= {"related_name", "related_query_name", "validators", "verbose_name"}
SAID |= {"db_index", "limit_choices_to", "on_delete"}

Tables = Collection[tuple[str, str]]  # app and model


def breaks(migration: Migration, before: ProjectState) -> list[str]:
    """In the order of its operations; `before` is what it finds."""
    if getattr(migration, "safe_for_the_last_version", ""):
        return []
    app, state, found = migration.app_label, before.clone(), []
    for operation in migration.operations:
        found += broken_by(operation, app, state, frozenset(before.models))
        operation.state_forwards(app, state)
    return found


def broken_by(
    operation: Operation, app: str, state: ProjectState, known: Tables
) -> Iterator[str]:
    """`known`: the tables that the last version has."""
    say = partial("{}: {}".format, operation.describe())
    match operation:
        case SeparateDatabaseAndState():
            for each in operation.database_operations:
                yield from broken_by(each, app, state, known)
        case CreateModel():
            for _, field in operation.fields:
                yield from map(say, bound_by(field, app, known))
        case AddField() | AlterField() if (
            app,
            operation.model_name_lower,
        ) not in known:
            pass
        case AddField():
            yield from map(say, needed_by(operation.field))
            yield from map(say, bound_by(operation.field, app, known))
        case AlterField():
            model = state.models[app, operation.model_name_lower]
            last = model.fields[operation.name]
            yield from map(say, narrowed_by(last, operation.field))
        case _ if not isinstance(operation, HARMLESS):
            yield say("the last version may use what is there now, as it is.")


def needed_by(field: Field) -> Iterator[str]:
    """The last version writes rows without the new column."""
    if field.many_to_many:
        return
    if not field.null and field.db_default is NOT_PROVIDED:
        yield "its rows have no value there: give it a db_default, or null."
    if field.unique and not field.null:
        yield "its rows have the same value there."


def bound_by(field: Field, app: str, known: Tables) -> Iterator[str]:
    """The last version deletes rows, and knows of nothing that points to them."""
    target = field.remote_field
    constrained = getattr(field, "db_constraint", getattr(target, "db_constraint", 0))
    if target and constrained and table_of(target.model, app) in known:
        yield "rows that it points to can't be deleted: give it db_constraint=False."


def narrowed_by(last: Field, field: Field) -> Iterator[str]:
    """What the last version writes may not fit any more."""
    (kind, old), (new_kind, new) = told_of(last), told_of(field)
    if kind != new_kind:
        yield f"a {kind} becomes a {new_kind}."
    if old.get("null") and not new.get("null"):
        yield "its rows may have no value there."
    if (old.get("max_length") or 0) > (new.get("max_length") or 1 << 30):
        yield "its texts may be longer."
    if "db_default" in old and "db_default" not in new and not new.get("null"):
        yield "its rows rely on the db_default."
    own = {"null", "max_length", "db_default"}
    for name in sorted((old.keys() | new.keys()) - own):
        if old.get(name) != new.get(name):
            yield f"{name} changes."


def told_of(field: Field) -> tuple[str, dict[str, Any]]:
    _, kind, _, told = field.deconstruct()
    return kind, {name: each for name, each in told.items() if name not in SAID}


def table_of(model: Any, app: str) -> tuple[str, str]:
    """Of a relation's target, which migrations name by a word."""
    label = model if isinstance(model, str) else model._meta.label
    found_app, _, name = label.rpartition(".")
    return (found_app or app, name.lower())
