"""Journal records as rows of a table, without a model instance for each.

`bulk_create` prepares thirty columns a row through the ORM, ten times what the insert
itself costs; this thread shares its interpreter with the request path.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

import orjson
from django.db import connection
from django.db.models import (
    BooleanField,
    CharField,
    DateTimeField,
    Field,
    FloatField,
    IntegerField,
    JSONField,
    Model,
)

from routing.chat import Json

REQUIRED = object()
Values = list[Any]


class Table:
    """A model's table as the ledger writes it; a column it adds later is found."""

    def __init__(self, model: type[Model]) -> None:
        fields = [f for f in model._meta.concrete_fields if not f.primary_key]
        names = [field.name for field in fields]
        self._defaults = {field.name: default(field) for field in fields}
        self._values_of = itemgetter(*names)
        self._converters = [(i, converter(field)) for i, field in enumerate(fields)]
        quote = connection.ops.quote_name
        columns = ", ".join(map(quote, names))
        places = ", ".join(["%s"] * len(names))
        table = quote(model._meta.db_table)
        # Names of our own model, never input.
        self._insert = f"INSERT INTO {table} ({columns}) VALUES ({places})"  # noqa: S608

    def values(self, record: Json) -> Values:
        """The columns' values. Raises KeyError, ValueError or TypeError for a record
        that can't be a row."""
        try:
            values = list(self._values_of(record))
        except KeyError:  # not of this version, or one that never ended
            values = list(self._values_of({**self._defaults, **record}))
        for place, convert in self._converters:
            value = values[place]
            if value is REQUIRED:
                raise KeyError("A column without a default has no value.")
            if value is not None:
                values[place] = convert(value)
        return values

    def insert(self, rows: Sequence[Values]) -> None:
        if rows:
            with connection.cursor() as cursor:
                cursor.executemany(self._insert, rows)


def default(field: "Field[Any, Any]") -> Any:
    if field.has_default():
        return field.get_default()
    if field.null:
        return None
    return "" if field.blank else REQUIRED


def converter(field: "Field[Any, Any]") -> Callable[[Any], Any]:
    """What makes the database's value of a record's."""
    match field:
        case DateTimeField():
            return moment
        case JSONField():
            return json_text
        case CharField():
            length = field.max_length
            return lambda value: text(value)[:length]
        case BooleanField():
            return bool
        case FloatField():
            return float
        case IntegerField():
            return int
    raise TypeError(f"The ledger writes no {type(field).__name__}.")


def moment(value: str) -> Any:
    return connection.ops.adapt_datetimefield_value(datetime.fromisoformat(value))


def text(value: Any) -> str:
    """PostgreSQL's text can't hold NUL; a hostile name must not cost a row."""
    written = str(value)
    return written.replace("\x00", "\ufffd") if "\x00" in written else written


def json_text(value: Any) -> str:
    written = orjson.dumps(value).decode()
    return written.replace("\\u0000", "\\ufffd") if "\\u0000" in written else written
