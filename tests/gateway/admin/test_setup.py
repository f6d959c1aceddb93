import logging
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from gateway.models import SetupToken
from gateway.setup_link import first_time_link

pytestmark = pytest.mark.django_db

GOOD = {
    "username": "ada",
    "password1": "correct horse battery",
    "password2": "correct horse battery",
}


def new_path() -> str:
    link = first_time_link("http://127.0.0.1:8080/")
    assert link is not None
    assert link.startswith("http://127.0.0.1:8080/admin/setup/")
    return urlsplit(link).path


def test_the_link_makes_an_administrator_and_logs_in(client):
    page = client.get(new_path(), follow=True)
    assert page.status_code == 200
    assert "Make the first administrator" in page.content.decode()

    response = client.post("/admin/setup/", GOOD, follow=True)

    assert response.request["PATH_INFO"] == "/admin/"
    assert "Log out" in response.content.decode()
    user = User.objects.get()
    assert (user.username, user.is_superuser, user.is_staff) == ("ada", True, True)
    assert user.check_password("correct horse battery")
    assert not SetupToken.objects.exists()


def test_the_link_works_once(client):
    path = new_path()
    client.get(path)
    other = Client()
    other.get(path)
    client.post("/admin/setup/", GOOD)

    late = other.post("/admin/setup/", GOOD | {"username": "eve"})
    again = other.get(path, follow=True)

    assert (late.status_code, again.status_code) == (404, 404)
    assert User.objects.count() == 1


def test_a_weak_or_mistyped_password_is_refused_and_the_link_stays_good(client):
    client.get(new_path())

    weak = client.post("/admin/setup/", GOOD | {"password1": "123", "password2": "123"})
    other = client.post("/admin/setup/", GOOD | {"password2": "something else"})

    assert "too short" in weak.content.decode()
    assert "match" in other.content.decode()
    assert not User.objects.exists()
    assert client.post("/admin/setup/", GOOD).status_code == 302


def expire(path: str) -> str:
    SetupToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    return path


def replace(path: str) -> str:
    new_path()
    return path


def appoint(path: str) -> str:
    User.objects.create_superuser("root")
    return path


@pytest.mark.parametrize(
    "spoil", [expire, replace, appoint, lambda path: path[:-3] + "xx/"]
)
def test_expired_replaced_needless_and_wrong_links_look_the_same(client, spoil):
    path = spoil(new_path())

    page = client.get(path, follow=True)

    assert page.status_code == 404
    assert "This link does not work" in page.content.decode()
    assert client.post("/admin/setup/", GOOD).status_code == 404
    assert not User.objects.filter(username="ada").exists()
    assert not Session.objects.exists()


def test_without_the_link_there_is_no_form(client):
    new_path()

    assert client.get("/admin/setup/").status_code == 404
    assert client.post("/admin/setup/", GOOD).status_code == 404


def test_there_is_no_link_once_there_is_an_administrator():
    User.objects.create_superuser("root")

    assert first_time_link("http://127.0.0.1:8080") is None
    assert not SetupToken.objects.exists()


def test_the_form_is_protected_against_foreign_pages():
    client = Client(enforce_csrf_checks=True)
    client.get(new_path())

    refused = client.post("/admin/setup/", GOOD)
    client.get("/admin/setup/")
    token = client.cookies["csrftoken"].value
    accepted = client.post("/admin/setup/", GOOD | {"csrfmiddlewaretoken": token})

    assert refused.status_code == 403
    assert accepted.status_code == 302


def test_neither_token_nor_password_reaches_log_session_or_database(client, caplog):
    caplog.set_level(logging.DEBUG)
    path = new_path()
    token = path.split("/")[-2]
    strict = Client(enforce_csrf_checks=True)
    strict.get(path)
    strict.post("/admin/setup/", GOOD)
    client.get(path)
    client.post("/admin/setup/", GOOD | {"password2": "x"})
    page = client.get("/admin/setup/").content.decode()

    kept = [session.get_decoded() for session in Session.objects.all()]
    stored = list(SetupToken.objects.values())
    assert token not in f"{caplog.text} {kept} {stored} {page}"
    assert GOOD["password1"] not in f"{caplog.text} {kept} {stored} {page}"
