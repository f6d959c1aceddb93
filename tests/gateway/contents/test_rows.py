"""Stored texts: written with their request, shown to who may see them, erased."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.urls import reverse

from gateway.ledger.store import purge_contents, save
from gateway.models import (
    ApiKey,
    CachePurge,
    RequestContent,
    RequestLog,
    StoredAnswer,
    Team,
)
from tests.gateway.ledger.samples import request

pytestmark = pytest.mark.django_db
SAID = {
    "messages": [{"role": "user", "text": "<b>Hi</b>", "chars": 9}],
    "answer": "Hello.",
    "answer_chars": 6,
    "left_out": 0,
}


def test_texts_are_stored_with_their_request_and_once():
    record = request("a", contents=SAID, key_id=7)

    assert save([record, request("b")], [], may_exist=False) == []
    assert save([record], [], may_exist=True) == []

    row = RequestContent.objects.get()
    assert (row.request_id, row.key_id, row.answer) == ("a", 7, "Hello.")
    assert row.messages == SAID["messages"]
    assert RequestLog.objects.count() == 2


def test_texts_that_make_no_row_cost_no_other_its_own():
    bad = request("a", contents={**SAID, "left_out": "many"})

    assert save([bad, request("b")], [], may_exist=False) == [bad]
    assert list(RequestLog.objects.values_list("request_id", flat=True)) == ["b"]


def test_texts_leave_after_days_of_their_own():
    save([request("a", contents=SAID)], [], may_exist=False)
    written = datetime(2026, 3, 1, 12, tzinfo=UTC)

    assert purge_contents(written + timedelta(days=6), 7) == 0
    assert purge_contents(written + timedelta(days=8), 7) == 1
    assert RequestLog.objects.count() == 1


def keep_something(key: ApiKey) -> None:
    save([request(f"of-{key.pk}", contents=SAID, key_id=key.pk)], [], may_exist=False)
    StoredAnswer.objects.create(
        key=f"answer of {key.pk}",
        scope=key.scope,
        request_id=f"of-{key.pk}",
        entry={},
        expires_at=0.0,
    )


@pytest.fixture
def two_keys() -> list[ApiKey]:
    keys = [
        ApiKey.issue("red")[0],
        ApiKey.issue("blue", team=Team.named("b").name)[0],
    ]
    for key in keys:
        keep_something(key)
    return keys


def test_erasing_a_key_forgets_its_texts_and_its_scopes_answers(two_keys):
    red, blue = two_keys
    out = StringIO()

    call_command("erase_contents", "red", stdout=out)

    assert "1 request and" in out.getvalue()
    assert [row.key_id for row in RequestContent.objects.all()] == [blue.pk]
    assert [row.scope for row in StoredAnswer.objects.all()] == ["team:b"]
    assert CachePurge.objects.get().scope == red.scope
    assert RequestLog.objects.count() == 2


def test_erasing_an_unknown_key_is_an_error():
    with pytest.raises(CommandError, match='no key named "nobody"'):
        call_command("erase_contents", "nobody")


def test_an_operator_erases_from_the_list_of_keys(admin_client, two_keys):
    url = reverse("admin:gateway_apikey_changelist")
    chosen = {"action": "erase_selected", "_selected_action": [two_keys[1].pk]}

    question = admin_client.post(url, chosen).content.decode()
    assert "the texts of 1 request, and of the cache 1 stored answer" in question
    assert RequestContent.objects.count() == 2
    page = admin_client.post(url, {**chosen, "confirmed": "yes"}, follow=True)

    assert "The text of 1 request is gone." in page.content.decode()
    assert [row.key_id for row in RequestContent.objects.all()] == [two_keys[0].pk]


@pytest.mark.parametrize(
    ("role", "sees"),
    [("viewer", False), ("auditor", True), ("operator", True), ("owner", True)],
)
def test_texts_are_shown_to_roles_that_may_see_them(
    client, django_user_model, two_keys, role, sees
):
    user = django_user_model.objects.create_user(role, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    log = RequestLog.objects.first()

    page = client.get(reverse("admin:gateway_requestlog_change", args=[log.pk]))

    assert ("&lt;b&gt;Hi&lt;/b&gt;" in page.content.decode()) is sees
    assert "<b>Hi</b>" not in page.content.decode()
