"""S16, S35: a download is whole, harmless to a spreadsheet, and written down."""

import asyncio
import csv
import io
import json
from datetime import UTC, datetime

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.handlers.asgi import ASGIRequest

from gateway.admin import export
from gateway.models import Attempt, RequestLog
from tests.gateway.admin.rows import request_row

pytestmark = pytest.mark.django_db

URL = "/admin/gateway/requestlog/export/"


def content(response) -> str:
    return b"".join(response.streaming_content).decode()


def test_all_that_the_filters_leave_is_exported_newest_first(admin_client, monkeypatch):
    monkeypatch.setattr(export, "PAGE", 10)
    RequestLog.objects.bulk_create(
        request_row(number, cost_nano=number, key_name="ci" if number % 2 else "me")
        for number in range(45)
    )

    response = admin_client.get(f"{URL}csv/?key=ci")
    rows = list(csv.DictReader(io.StringIO(content(response))))

    assert response["Content-Disposition"] == 'attachment; filename="requestlog.csv"'
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    numbers = [n for n in range(44, -1, -1) if n % 2]
    assert [row["cost_nano"] for row in rows] == [str(n) for n in numbers]


def test_a_cell_that_a_spreadsheet_would_run_is_text(admin_client):
    hostile = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", 'a"b', "fine"]
    RequestLog.objects.bulk_create(
        request_row(number, team=text, saved_nano=-5)
        for number, text in enumerate(hostile)
    )

    text = content(admin_client.get(f"{URL}csv/"))
    rows = list(csv.DictReader(io.StringIO(text, newline="")))

    teams = [row["team"] for row in reversed(rows)]
    assert teams == [f"'{each}" for each in hostile[:6]] + ['a"b', "fine"]
    assert {row["saved_nano"] for row in rows} == {"-5"}
    assert text.splitlines()[0].startswith('"id","request_id","at"')


def test_jsonl_has_the_rows_as_they_are(admin_client):
    log = request_row(1, decisions=[{"step": "tier", "text": "=Tier 1"}], tags=["x"])
    log.at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    log.save()

    [line] = content(admin_client.get(f"{URL}jsonl/")).splitlines()

    row = json.loads(line)
    assert row["decisions"] == [{"step": "tier", "text": "=Tier 1"}]
    assert (row["tags"], row["at"]) == (["x"], "2026-03-01T12:00:00+00:00")


def test_an_export_is_in_the_log_of_the_admin_with_its_filters(admin_client):
    content(admin_client.get(f"{URL}jsonl/?key=ci&cache=HIT"))

    entry = LogEntry.objects.get()
    assert entry.user.username == "admin"
    assert entry.content_type.model == "requestlog"
    assert "Exported as jsonl; filters: key=ci&cache=HIT." in entry.change_message


def test_seeing_the_log_is_not_being_allowed_to_take_it_away(client):
    person = User.objects.create_user("viewer", is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_requestlog"))
    client.force_login(person)

    assert "Export these" not in client.get(URL[:-7]).content.decode()
    assert client.get(f"{URL}csv/").status_code == 403
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("kind", ["xlsx", "CSV", "csv.exe"])
def test_an_unknown_kind_is_not_found(admin_client, kind):
    assert admin_client.get(f"{URL}{kind}/").status_code == 404


def test_attempts_are_exported_too(admin_client):
    Attempt.objects.create(
        attempt_id="a1",
        request_id="r1",
        at=datetime(2026, 3, 1, tzinfo=UTC),
        scope="key:1",
        backend="haiku",
        provider="anthropic",
        model="m",
        tier=1,
        state="billed",
        price={"input": 1},
    )

    text = content(admin_client.get("/admin/gateway/attempt/export/csv/"))

    assert '"{""input"":1}"' in text


@pytest.mark.django_db(transaction=True)
def test_the_server_streams_page_by_page(admin_user, monkeypatch):
    monkeypatch.setattr(export, "PAGE", 10)
    RequestLog.objects.bulk_create(request_row(number) for number in range(25))
    page = ASGIRequest({"type": "http", "method": "GET", "path": URL}, io.BytesIO())
    page.user = admin_user
    response = export.export(page, RequestLog.objects.all(), "jsonl")

    async def pieces() -> list[bytes]:
        return [piece async for piece in response.streaming_content]

    counts = [piece.count(b"\n") for piece in asyncio.run(pieces())]
    assert counts == [0, 10, 10, 5]
