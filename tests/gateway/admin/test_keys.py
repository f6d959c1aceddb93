import logging
import re
from datetime import date

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from gateway.key_rows import digest_of
from gateway.models import ApiKey, SpendDay, Team
from routing.models import Tier

pytestmark = pytest.mark.django_db

ADD, LIST = "/admin/gateway/apikey/add/", "/admin/gateway/apikey/"
SECRET = re.compile(r"sk-llmr-[\w-]{40}")


def answer_of(question):
    """What the one button of an asking page sends."""
    page = question.content.decode()
    form = page[page.index('id="lost"') :].split("</form>")[0]
    pairs = re.findall(r'name="([^"]+)"\s+value="([^"]*)"', form)
    sent = {name: [v for n, v in pairs if n == name] for name, _ in pairs}
    del sent["csrfmiddlewaretoken"]
    return {"confirmed": "yes", **sent}


def add_key(admin_client, **changes):
    data = {"name": "app", "team": "", "may_pin": "on", "max_in_flight": "0"}
    return admin_client.post(ADD, data | changes)


def test_a_new_key_is_shown_once_and_stored_nowhere_in_clear(admin_client, caplog):
    caplog.set_level(logging.DEBUG)
    response = add_key(admin_client)

    (secret,) = SECRET.findall(response.content.decode())
    key = ApiKey.objects.get()
    assert key.digest == digest_of(secret)
    assert key.prefix == secret[:12]
    assert "no-store" in response.headers["Cache-Control"]
    for url in (LIST, f"{LIST}{key.pk}/change/", f"{LIST}{key.pk}/history/", "/admin/"):
        assert secret not in admin_client.get(url).content.decode()
    kept = [session.get_decoded() for session in Session.objects.all()]
    cookies = [morsel.value for morsel in admin_client.cookies.values()]
    assert secret not in f"{kept} {cookies} {caplog.text}"


def test_a_refused_form_issues_nothing(admin_client):
    response = add_key(admin_client, min_tier="3", max_tier="1")

    assert "The lowest tier is above the highest." in response.content.decode()
    assert not SECRET.search(response.content.decode())
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    ("bounds", "field", "told"),
    [
        ({"min_tier": "9"}, "min_tier", "No tier is that high: the highest is 4."),
        ({"max_tier": "1"}, "max_tier", "No tier is that low: the lowest is 2."),
        (
            {"min_tier": "3", "max_tier": "3"},
            "max_tier",
            "There is no tier from 3 to 3.",
        ),
    ],
)
def test_bounds_that_leave_a_key_no_tier_are_refused(admin_client, bounds, field, told):
    for rank, max_score in ((2, 50), (4, None)):
        Tier.objects.create(rank=rank, name=f"t{rank}", max_score=max_score)

    response = add_key(admin_client, **bounds)

    form = response.context["adminform"].form
    assert form.errors[field] == [told]
    assert not ApiKey.objects.exists()
    assert SECRET.search(add_key(admin_client, min_tier="3").content.decode())


def test_editing_a_key_changes_no_secret(admin_client):
    key, secret = ApiKey.issue("app")
    red = Team.named("red")

    response = admin_client.post(
        f"{LIST}{key.pk}/change/",
        {"name": "web", "team": red.pk, "max_in_flight": "5", "prefix": "sk-mine"},
        follow=True,
    )

    key.refresh_from_db()
    assert (key.name, key.team, key.max_in_flight) == ("web", red, 5)
    assert key.digest == digest_of(secret)
    assert key.prefix == secret[:12]
    assert not SECRET.search(response.content.decode())


def test_keys_are_revoked_from_the_list(admin_client):
    first, _ = ApiKey.issue("first")
    second, _ = ApiKey.issue("second")

    chosen = {"action": "revoke_selected", "_selected_action": [first.pk]}
    question = admin_client.post(LIST, chosen)
    assert not ApiKey.objects.exclude(revoked_at=None).exists()
    response = admin_client.post(LIST, answer_of(question), follow=True)

    first.refresh_from_db()
    second.refresh_from_db()
    assert first.revoked_at is not None
    assert second.revoked_at is None
    assert "1 key revoked" in response.content.decode()
    history = admin_client.get(f"{LIST}{first.pk}/history/").content.decode()
    assert "Revoked." in history


def test_one_key_is_revoked_from_its_page(admin_client):
    key, _ = ApiKey.issue("app")

    page = admin_client.get(f"{LIST}{key.pk}/change/").content.decode()
    (link,) = re.findall(r'href="([^"]+)"[^>]*>\s*Revoke this key', page)
    question = admin_client.get(link)
    admin_client.post(LIST, answer_of(question))

    key.refresh_from_db()
    assert key.revoked_at is not None
    again = admin_client.get(link, follow=True).content.decode()
    assert "app is revoked already." in again


@pytest.mark.parametrize("action", ["revoke_selected", "erase_selected"])
def test_the_question_says_whether_it_is_about_one_key_or_several(admin_client, action):
    keys = [ApiKey.issue(name)[0].pk for name in ("first", "second")]

    def asked(chosen: list[int]) -> str:
        body = {"action": action, "_selected_action": chosen}
        return admin_client.post(LIST, body).content.decode()

    one, both = asked(keys[:1]), asked(keys)

    assert "this key" in one
    assert "Leave it as it is" in one
    assert "these keys" not in one
    assert "these keys" in both
    assert "Leave them as they are" in both


def test_looking_at_a_page_revokes_nothing(admin_client):
    key, _ = ApiKey.issue("app")

    admin_client.get(f"{LIST}{key.pk}/change/?gateway_apikey_revoke=")
    admin_client.get(f"{LIST}{key.pk}/revoke/?confirmed=yes")
    admin_client.post(f"{LIST}{key.pk}/revoke/", {"confirmed": "yes"})

    key.refresh_from_db()
    assert key.revoked_at is None


def test_who_revokes_is_told_what_uses_the_key(admin_client):
    used, _ = ApiKey.issue("<b>used</b>", team="red")
    ApiKey.issue("new")
    for day, requests in ((1, 1200), (2, 34)):
        SpendDay.objects.create(
            day=date(2026, 11, day), key_id=used.pk, team="red", requests=requests
        )

    everything = [key.pk for key in ApiKey.objects.all()]
    chosen = {"action": "revoke_selected", "_selected_action": everything}
    page = admin_client.post(LIST, chosen).content.decode()

    assert "&lt;b&gt;used&lt;/b&gt;</strong> of red" in page
    assert "1,234 requests so far, the last on 2026-11-02" in page
    assert "never used" in page
    assert "<b>used" not in page


def test_a_key_revoked_twice_keeps_its_first_moment(admin_client):
    moment = timezone.now()
    key, _ = ApiKey.issue("app")
    ApiKey.objects.update(revoked_at=moment)

    admin_client.post(LIST, {"action": "revoke_selected", "_selected_action": [key.pk]})

    key.refresh_from_db()
    assert key.revoked_at == moment


def test_a_key_is_never_deleted(admin_client):
    key, _ = ApiKey.issue("app")

    response = admin_client.post(f"{LIST}{key.pk}/delete/", {"post": "yes"})

    assert response.status_code == 403
    assert ApiKey.objects.exists()


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, "active"),
        ({"expires_at": "2020-01-01T00:00Z"}, "expired"),
        ({"revoked_at": "2020-01-01T00:00Z"}, "revoked"),
    ],
)
def test_the_list_tells_the_state_of_a_key(admin_client, fields, status):
    ApiKey.issue("app")
    ApiKey.objects.update(**fields)

    page = admin_client.get(LIST).content.decode()

    assert re.search(rf">\s*{status}\s*<", page)


def test_a_team_has_limits_a_time_zone_and_a_name_that_stays(admin_client):
    response = admin_client.post(
        "/admin/gateway/team/add/",
        {"name": "red", "time_zone": "Europe/Zurich", "budget_day_usd": "2.50"},
        follow=True,
    )
    assert response.status_code == 200
    red = Team.objects.get()
    admin_client.post(
        f"/admin/gateway/team/{red.pk}/change/",
        {"name": "blue", "time_zone": "UTC", "requests_per_minute": "10"},
    )

    red.refresh_from_db()
    assert (red.name, red.time_zone, red.requests_per_minute) == ("red", "UTC", 10)
    assert red.budget_day_usd is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"time_zone": "Mars/Olympus"},
        {"budget_day_usd": "-1"},
        {"budget_month_usd": "1e20"},
        {"requests_per_minute": "0"},
    ],
    ids=str,
)
def test_a_team_with_wrong_values_is_refused(admin_client, wrong):
    data = {"name": "red", "time_zone": "UTC"}

    admin_client.post("/admin/gateway/team/add/", data | wrong)

    assert not Team.objects.exists()


def test_a_team_with_keys_is_not_deleted(admin_client):
    ApiKey.issue("app", team="red")
    red = Team.objects.get()

    admin_client.post(f"/admin/gateway/team/{red.pk}/delete/", {"post": "yes"})

    assert Team.objects.get() == red
