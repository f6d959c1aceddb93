"""Database triggers that count changes of configuration tables.

Made after each `migrate` (SQLite drops a table's triggers when it is rebuilt), so that
any change, by the admin, raw SQL or loaddata, raises the table's ConfigVersion.
"""

from collections.abc import Iterable
from typing import Any

from django.db import connections, transaction

EVENTS = ("INSERT", "UPDATE", "DELETE")


def install(tables: Iterable[str], using: str = "default") -> None:
    """Create the triggers of `tables`, replacing earlier ones."""
    connection = connections[using]
    make = _postgresql if connection.vendor == "postgresql" else _sqlite
    with transaction.atomic(using=using), connection.cursor() as cursor:
        for table in tables:
            make(cursor, table)
            cursor.execute(
                'INSERT INTO routing_configversion ("table", version) '
                "VALUES (%s, 0) ON CONFLICT DO NOTHING",
                [table],
            )


def _sqlite(cursor: Any, table: str) -> None:
    for event in EVENTS:
        name = f"{table}_{event.lower()}_counts"
        cursor.execute(f'DROP TRIGGER IF EXISTS "{name}"')
        cursor.execute(
            f'CREATE TRIGGER "{name}" AFTER {event} ON "{table}" BEGIN '  # noqa: S608
            "UPDATE routing_configversion SET version = version + 1 "
            f"WHERE \"table\" = '{table}'; END"  # a table of ours, never input
        )


def _postgresql(cursor: Any, table: str) -> None:
    cursor.execute(
        "CREATE OR REPLACE FUNCTION llm_router_count_change() RETURNS trigger AS $$ "
        "BEGIN UPDATE routing_configversion SET version = version + 1 "
        'WHERE "table" = TG_TABLE_NAME; '
        "RETURN NULL; END $$ LANGUAGE plpgsql"
    )
    cursor.execute(f'DROP TRIGGER IF EXISTS config_change_counts ON "{table}"')
    cursor.execute(
        "CREATE TRIGGER config_change_counts "
        "AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE "
        f'ON "{table}" FOR EACH STATEMENT EXECUTE FUNCTION llm_router_count_change()'
    )
