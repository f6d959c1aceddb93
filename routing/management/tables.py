"""Commands that read what is stored, where nothing was stored yet."""

from django.core.management.base import CommandError
from django.db import DatabaseError, connection

from routing.models import RoutingPolicy


def need_tables(for_what: str) -> None:
    """Raises CommandError, in words, on a database that was never migrated."""
    try:
        names = connection.introspection.table_names()
    except DatabaseError as error:
        raise CommandError(f"The database can't be read: {error}") from None
    if RoutingPolicy._meta.db_table not in names:
        raise CommandError(
            f"The database is empty, and {for_what}. Start the gateway, or run "
            "manage.py migrate."
        )
