"""The books as CSV or JSONL: streamed in pages, safe in spreadsheets, written down."""

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from typing import Any

import orjson
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.handlers.asgi import ASGIRequest
from django.db.models import Model, QuerySet
from django.http import HttpRequest, StreamingHttpResponse

from gateway.runtime.database import in_database

PAGE = 1000
# A spreadsheet takes a cell that begins so for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
Rows = list[dict[str, Any]]
Write = Callable[[Rows], bytes]


def export(
    request: HttpRequest, rows: QuerySet[Any], kind: str
) -> StreamingHttpResponse:
    """`rows`, newest first, as a download. `kind` is "csv" or "jsonl"."""
    model = rows.model
    names = [field.attname for field in model._meta.concrete_fields]
    write, head, content_type = as_jsonl, b"", "application/x-ndjson"
    if kind == "csv":
        write, head = as_csv, csv_line(names)
        content_type = "text/csv; charset=utf-8"
    note(request, model, kind)
    query = rows.order_by("-pk").values(*names)
    # Django reads the whole of a stream of the other kind before it sends any of it.
    asynchronous = isinstance(request, ASGIRequest)
    body = later(query, write, head) if asynchronous else now(query, write, head)
    response = StreamingHttpResponse(body, content_type=content_type)
    name = f"{model._meta.model_name}.{kind}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def note(request: HttpRequest, model: type[Model], kind: str) -> None:
    """Who took what out, in the log of the admin."""
    filters = request.GET.urlencode() or "none"
    LogEntry.objects.log_actions(
        int(request.user.pk or 0),  # nobody comes here without logging in
        [model(pk=0)],
        CHANGE,
        f"Exported as {kind}; filters: {filters}.",
        single_object=True,
    )


def now(query: QuerySet[Any], write: Write, head: bytes) -> Iterator[bytes]:
    yield head
    below: int | None = None
    while rows := page(query, below):
        yield write(rows)
        below = rows[-1]["id"]


async def later(
    query: QuerySet[Any], write: Write, head: bytes
) -> AsyncIterator[bytes]:
    yield head
    below: int | None = None
    while rows := await in_database(page, query, below):
        yield write(rows)
        below = rows[-1]["id"]


def page(query: QuerySet[Any], below: int | None) -> Rows:
    """The next rows: by key, so that each costs the same and none comes twice."""
    left = query if below is None else query.filter(pk__lt=below)
    return list(left[:PAGE])


def as_csv(rows: Rows) -> bytes:
    return b"".join(csv_line(row.values()) for row in rows)


def csv_line(values: Any) -> bytes:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerow([cell(value) for value in values])
    return out.getvalue().encode()


def cell(value: object) -> object:
    """As text that no spreadsheet runs; numbers of ours stay numbers."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (bool, int, float)):
        return value
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return f"'{text}" if text.startswith(FORMULA) else text


def as_jsonl(rows: Rows) -> bytes:
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)
