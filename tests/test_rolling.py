"""Migrations leave a worker of the last version alive (R23).

An upgrade of several instances on one database goes one by one, so a worker of the last
version serves on, and writes its log, after the next version has migrated.
"""

import pytest
from django.conf import settings
from django.db import models
from django.db.migrations import Migration, RunPython, RunSQL
from django.db.migrations import operations as does
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState

from tests.rolling import breaks

# What was there before upgrades were promised to go one by one.
PROMISED_AFTER = {"routing": "0029", "gateway": "0017", "workflows_app": "0009"}


def later_migrations() -> list[tuple[str, str]]:
    nodes = MigrationLoader(None).graph.nodes
    own = [node for node in nodes if node[0] in PROMISED_AFTER]
    return sorted((app, name) for app, name in own if name[:4] > PROMISED_AFTER[app])


def test_r23_what_was_there_before_the_promise_is_still_there():
    names = {(app, name[:4]) for app, name in MigrationLoader(None).graph.nodes}

    assert PROMISED_AFTER.items() <= names


def test_r23_a_worker_of_the_last_version_survives_every_migration():
    loader = MigrationLoader(None)
    broken = {
        f"{app}.{name}": found
        for app, name in later_migrations()
        if (
            found := breaks(
                loader.graph.nodes[app, name],
                loader.project_state((app, name), at_end=False),
            )
        )
    }

    assert broken == {}


def before() -> ProjectState:
    """What the last version has: a log, and somebody it is of."""
    state = ProjectState()
    fields = [
        ("id", models.BigAutoField(primary_key=True)),
        ("name", models.CharField(max_length=20)),
        ("note", models.TextField(null=True)),
        ("grade", models.CharField(max_length=8, db_default="")),
    ]
    state.add_model(ModelState("gateway", "Log", fields))
    for app, name in (("gateway", "Key"), ("auth", "User")):
        key = [("id", models.BigAutoField(primary_key=True))]
        state.add_model(ModelState(app, name, key))
    return state


def of(*operations: does.base.Operation, **said: str) -> list[str]:
    """What a migration of these would break."""
    migration = Migration("0099_next", "gateway")
    migration.operations = list(operations)
    vars(migration).update(said)
    return breaks(migration, before())


def add(field: models.Field) -> does.AddField:
    return does.AddField("log", "more", field)


def create(**fields: models.Field) -> does.CreateModel:
    named = [("id", models.BigAutoField(primary_key=True)), *fields.items()]
    return does.CreateModel("Fresh", named)


def to_key(**more: object) -> models.Field:
    return models.ForeignKey("gateway.Key", models.CASCADE, **more)


BREAKING = {
    "column gone": does.RemoveField("log", "note"),
    "column renamed": does.RenameField("log", "note", "remark"),
    "table gone": does.DeleteModel("Log"),
    "table renamed": does.RenameModel("Log", "Diary"),
    "table elsewhere": does.AlterModelTable("log", "diary"),
    "column without a value": add(models.IntegerField(default=0)),
    "column with one value": add(models.IntegerField(db_default=0, unique=True)),
    "column that binds": add(to_key(null=True)),
    "columns that bind": add(models.ManyToManyField("gateway.Key")),
    "table that binds": create(key=to_key()),
    "table that binds people": create(
        owner=models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    ),
    "shorter": does.AlterField("log", "name", models.CharField(max_length=19)),
    "not null": does.AlterField("log", "note", models.TextField(default="")),
    "unique": does.AlterField(
        "log", "name", models.CharField(max_length=20, unique=True)
    ),
    "another kind": does.AlterField("log", "name", models.IntegerField()),
    "default gone": does.AlterField("log", "grade", models.CharField(max_length=8)),
    "constraint": does.AddConstraint(
        "log", models.UniqueConstraint(fields=["name"], name="one")
    ),
    "unique together": does.AlterUniqueTogether("log", {("name", "note")}),
    "rows changed": RunPython(RunPython.noop),
    "statement": RunSQL("DROP TABLE gateway_log"),
    "in the database alone": does.SeparateDatabaseAndState(
        database_operations=[does.RemoveField("log", "note")]
    ),
}
SAFE = {
    "table": create(name=models.CharField(max_length=20)),
    "table that binds nobody": create(key=to_key(db_constraint=False)),
    "column that may be empty": add(models.IntegerField(null=True)),
    "column with a default": add(models.IntegerField(db_default=0)),
    "column that binds nobody": add(to_key(null=True, db_constraint=False)),
    "longer": does.AlterField("log", "name", models.CharField(max_length=21)),
    "may be empty": does.AlterField(
        "log", "name", models.CharField(max_length=20, null=True)
    ),
    "only said": does.AlterField(
        "log", "name", models.CharField("Name", max_length=20, help_text="Of it.")
    ),
    "index": does.AddIndex("log", models.Index(fields=["name"], name="by_name")),
    "in the state alone": does.SeparateDatabaseAndState(
        state_operations=[does.RemoveField("log", "note")]
    ),
}


@pytest.mark.parametrize("operation", BREAKING.values(), ids=BREAKING)
def test_r23_what_breaks_the_last_version_is_found(operation: does.base.Operation):
    assert len(of(operation)) == 1


@pytest.mark.parametrize("operation", SAFE.values(), ids=SAFE)
def test_r23_what_the_last_version_survives_is_let_be(operation: does.base.Operation):
    assert of(operation) == []


def test_r23_a_table_of_the_same_migration_is_its_own():
    later = does.AddField("fresh", "more", models.IntegerField())
    gone = does.AlterField("fresh", "more", models.TextField())

    assert of(create(), later, gone) == []


def test_r23_a_migration_that_says_why_it_is_safe_is_believed():
    gone = does.RemoveField("log", "note")

    assert of(gone, safe_for_the_last_version="0.1.0 doesn't read it any more.") == []
    assert of(gone, safe_for_the_last_version="") != []
