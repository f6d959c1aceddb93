"""S30, S31, S35: a foreign page, an old session, a quiet change: what each may do."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.forms import (
    DateField,
    DecimalField,
    FloatField,
    IntegerField,
    ModelChoiceField,
    SplitDateTimeField,
    TypedChoiceField,
)
from django.test import Client
from django.urls import resolve, reverse

from gateway.models import ApiKey
from routing.models import Backend, Price, Retirement, RoutingPolicy
from tests.gateway.admin.changes import EDITABLE, change_url
from tests.gateway.admin.every_page import fill
from tests.gateway.admin.stored import stored
from tests.routing.admin_forms import form_of
from tests.security.admin_urls import every_url
from workflows_app.models import Workflow

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough secret"


def test_s30_no_page_takes_a_form_from_another_site(admin_user):
    fill("plain")
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    before = stored()

    # 404 and 405: there is no such form at all.
    answers = {url: client.post(url, {"name": "x"}).status_code for url in every_url()}

    assert len(answers) > 100
    assert set(answers.values()) <= {403, 404, 405}
    assert list(answers.values()).count(403) > 100
    assert stored() == before


def test_s30_a_form_of_an_earlier_sign_in_is_refused_in_a_sentence(admin_user):
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)

    refused = client.post(reverse("admin:gateway_team_add"), {"name": "x"})

    assert refused.status_code == 403
    page = refused.content.decode()
    assert "Nothing was saved" in page
    assert "Go back, keep what you typed" in page


def test_s30_no_page_is_exempt_from_the_check():
    fill("plain")

    views = {url: resolve(url.partition("?")[0]).func for url in every_url()}

    exempt = [u for u, view in views.items() if getattr(view, "csrf_exempt", False)]
    assert exempt == []


def test_s30_looking_changes_nothing(admin_client):
    fill("plain")
    before = stored()

    for url in every_url():
        admin_client.get(url)

    assert stored() == before


def log_in(client: Client, password: str = PASSWORD):
    form = {"username": "ann", "password": password}
    return client.post("/admin/login/?next=/admin/", form, REMOTE_ADDR="192.0.2.50")


@pytest.fixture
def ann() -> User:
    return User.objects.create_superuser("ann", password=PASSWORD)


def test_s31_a_session_is_new_at_each_login_and_hidden_from_scripts(ann, client):
    client.get("/admin/login/")
    log_in(client)
    first = client.cookies["sessionid"]
    key, told = first.value, (first["httponly"], first["samesite"], first["max-age"])
    client.post("/admin/logout/")
    client.cookies["sessionid"] = key
    assert client.get("/admin/").status_code == 302
    log_in(client)

    assert client.cookies["sessionid"].value != key
    assert told == (True, "Lax", 12 * 3600)


def test_s31_a_new_password_ends_every_other_session(ann):
    one, other = Client(), Client()
    log_in(one)
    log_in(other)
    changed = {
        "old_password": PASSWORD,
        "new_password1": "quite another secret",
        "new_password2": "quite another secret",
    }
    assert one.post("/admin/password_change/", changed).status_code == 302

    assert one.get("/admin/").status_code == 200
    assert other.get("/admin/").status_code == 302


# What no field of its kind takes.
WRONG = {
    IntegerField: "one",
    FloatField: "a half",
    DecimalField: "all of it",
    DateField: "tomorrow",
    ModelChoiceField: "999999",
    TypedChoiceField: "none of them",
}


def everything() -> list[list[tuple]]:
    """Every row of every table: of configuration, history, books and people."""
    return [
        sorted(model._base_manager.values_list(), key=str)
        for model in apps.get_models()
        if model is not Session  # it lives on with each request
    ]


def flags() -> list[int]:
    return list(LogEntry.objects.order_by("pk").values_list("action_flag", flat=True))


# What `fill("plain")` wrote where its form takes no such word.
ACCEPTABLE = {
    Backend: {"base_url": "http://127.0.0.1:9/v1"},
    RoutingPolicy: {"sidecar_url": ""},
    Workflow: {"text": "end_ops: [a]\nops: {a: {template: hello}}"},
}


def opened(admin_client: Client, model) -> tuple[str, object, dict[str, object]]:
    """The page of a row, its form, and what a browser would send of it."""
    fill("plain")
    Group.objects.create(name="aaa")
    url = change_url(model.objects.order_by("pk").first())
    page = admin_client.get(url)
    form = page.context["adminform"].form
    return url, form, form_of(page) | ACCEPTABLE.get(model, {})


@pytest.mark.parametrize("model", EDITABLE, ids=lambda model: model.__name__)
def test_s35_a_change_is_one_line_in_the_log(admin_client, model):
    url, _, sent = opened(admin_client, model)

    answer = admin_client.post(url, sent)

    assert answer.status_code == 302
    assert flags() == [CHANGE]
    entry = LogEntry.objects.get()
    assert entry.user.username == "admin"
    assert entry.content_type.model_class() is model


@pytest.mark.parametrize("model", EDITABLE, ids=lambda model: model.__name__)
def test_s35_a_refused_form_changes_nothing_and_is_no_line(admin_client, model):
    url, form, sent = opened(admin_client, model)
    before, refused = everything(), []

    for name, field in form.fields.items():
        if isinstance(field, SplitDateTimeField) or name not in sent:
            continue
        wrong = sent | {name: WRONG.get(type(field), "" if field.required else None)}
        if wrong[name] is None:
            continue
        answer = admin_client.post(url, wrong)
        assert answer.status_code == 200, name
        assert name in answer.context["adminform"].form.errors
        refused.append(name)

    assert refused
    assert flags() == []
    assert everything() == before


def test_s35_making_and_deleting_are_lines_too_and_outlive_the_row(admin_client):
    form = {"provider": "openai", "names": "gpt-x", "day": "2027-01-01", "source": ""}
    admin_client.post(reverse("admin:routing_retirement_add"), form)
    row = Retirement.objects.get(names="gpt-x")
    url = reverse("admin:routing_retirement_delete", args=(row.pk,))
    admin_client.post(url, {"post": "yes"})

    assert flags() == [ADDITION, DELETION]
    assert [entry.object_id for entry in LogEntry.objects.all()] == [str(row.pk)] * 2


def test_s35_a_revoked_key_is_in_the_log_without_its_secret(admin_client):
    key, secret = ApiKey.issue("app")
    url = reverse("admin:gateway_apikey_changelist")
    chosen = {"action": "revoke_selected", "_selected_action": [key.pk]}
    admin_client.post(url, {**chosen, "confirmed": "yes"})

    entry = LogEntry.objects.get()
    assert entry.get_change_message() == "Revoked."
    assert secret not in str(vars(entry))


def test_s35_no_page_edits_or_deletes_the_log(admin_client, admin_user):
    page = admin.site._registry[LogEntry]
    LogEntry.objects.log_actions(
        admin_user.pk, [admin_user], CHANGE, "Something.", single_object=True
    )
    entry = LogEntry.objects.get()
    for name in ("change", "delete"):
        url = reverse(f"admin:admin_logentry_{name}", args=(entry.pk,))
        assert admin_client.post(url, {"post": "yes"}).status_code == 403

    assert LogEntry.objects.filter(pk=entry.pk).exists()
    assert "delete_selected" not in page.actions
    assert Price not in EDITABLE  # a price is never edited: what it cost is a fact
