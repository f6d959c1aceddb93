"""Journal records as rows of a table, without a model instance for each.

`bulk_create` prepares thirty columns a row through the ORM, ten times what the insert
itself costs; this thread shares its interpreter with the request path.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
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
    TextField,
)

from routing.chat import Json

REQUIRED = object()
# A database takes so many values in one statement, and no more; a power of two.
ROWS_AT_ONCE = 256
Values = list[Any]


class Table:
    """A model's table as the ledger writes it; a column it adds later is found."""

    def __init__(self, model: type[Model]) -> None:
        fields = [f for f in model._meta.concrete_fields if not f.primary_key]
        names = [field.name for field in fields]
        self._defaults = {field.name: default(field) for field in fields}
        self._values_of = itemgetter(*names)
        self._texts = [
            (place, field.max_length or 0)
            for place, field in enumerate(fields)
            if isinstance(field, CharField)
        ]
        self._others = [
            (place, converter(field))
            for place, field in enumerate(fields)
            if not isinstance(field, CharField)
        ]
        quote = connection.ops.quote_name
        columns = ", ".join(map(quote, names))
        self._row = f"({', '.join([place()] * len(names))})"
        # Names of our own model, never input.
        table = quote(model._meta.db_table)
        self._insert = f"INSERT INTO {table} ({columns}) VALUES "  # noqa: S608
        self._statements: dict[int, str] = {}  # by rows

    def values(self, record: Json) -> Values:
        """The columns' values. Raises KeyError, ValueError or TypeError for a record
        that can't be a row."""
        try:
            values = list(self._values_of(record))
        except KeyError:  # not of this version, or one that never ended
            values = list(self._values_of({**self._defaults, **record}))
        for place, length in self._texts:
            value = values[place]
            # Mostly it fits as it is; REQUIRED and None do not.
            if type(value) is not str or len(value) > length or "\x00" in value:
                values[place] = None if value is None else fitting(value, length)
        for place, convert in self._others:
            value = values[place]
            if value is REQUIRED:
                raise KeyError("A column without a default has no value.")
            if value is not None:
                values[place] = convert(value)
        return values

    def insert(self, rows: Sequence[Values]) -> None:
        """In as few statements as possible: each gives the interpreter away and has to
        get it back from the request path."""
        with connection.cursor() as cursor:
            for some in portions(rows):
                cursor.execute(self._statement(len(some)), flat(some))

    def _statement(self, rows: int) -> str:
        if rows not in self._statements:
            self._statements[rows] = self._insert + ", ".join([self._row] * rows)
        return self._statements[rows]


class Sums:
    """A model's table as the ledger adds to it: one row for each value of `key`."""

    def __init__(self, model: type[Model], key: Sequence[str], sums: Sequence[str]):
        # Names of our own model, never input.
        table = connection.ops.quote_name(model._meta.db_table)
        added = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in sums)
        columns = (*key, *sums)
        self._row = f"({', '.join([place()] * len(columns))})"
        # SQLite and PostgreSQL
        self._insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES "  # noqa: S608
        self._add = f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {added}"
        self._statements: dict[int, str] = {}  # by rows

    def add(self, rows: Iterable[Values]) -> None:
        """Each row's sums, to what is there for its key. No key may come twice."""
        with connection.cursor() as cursor:
            for some in portions(list(rows)):
                cursor.execute(self._statement(len(some)), flat(some))

    def _statement(self, rows: int) -> str:
        if rows not in self._statements:
            places = ", ".join([self._row] * rows)
            self._statements[rows] = self._insert + places + self._add
        return self._statements[rows]


def place() -> str:
    """Where a value goes in a statement.

    SQLite's own mark: Django would put it for each `%s`, of which a statement has
    thousands, each time that the statement is executed.
    """
    return "?" if connection.vendor == "sqlite" else "%s"


def portions(rows: Sequence[Values]) -> Iterator[Sequence[Values]]:
    """All rows, in powers of two: a connection keeps what it has compiled of each
    statement, and with one for each number of rows that would be tens of megabytes."""
    start = 0
    while left := len(rows) - start:
        size = min(1 << (left.bit_length() - 1), ROWS_AT_ONCE)
        yield rows[start : start + size]
        start += size


def flat(rows: Iterable[Values]) -> Values:
    return [value for row in rows for value in row]


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
        case TextField():
            return text
        case JSONField():
            return json_text
        case BooleanField():
            return bool
        case FloatField():
            return float
        case IntegerField():
            return int
    raise TypeError(f"The ledger writes no {type(field).__name__}.")


def moment(value: str) -> Any:
    when = datetime.fromisoformat(value)
    if connection.vendor == "sqlite" and value.endswith("+00:00"):
        return f"{value[:10]} {value[11:-6]}"  # as Django writes it, only sooner
    return connection.ops.adapt_datetimefield_value(when)


def fitting(value: Any, length: int) -> str:
    if value is REQUIRED:
        raise KeyError("A column without a default has no value.")
    return text(value)[:length]


def text(value: Any) -> str:
    """PostgreSQL's text can't hold NUL; a hostile name must not cost a row."""
    written = str(value)
    return written.replace("\x00", "\ufffd") if "\x00" in written else written


def json_text(value: Any) -> str:
    written = orjson.dumps(value).decode()
    return written.replace("\\u0000", "\\ufffd") if "\\u0000" in written else written
