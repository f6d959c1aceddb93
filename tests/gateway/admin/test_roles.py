"""S6: every role against every action, generated from the registry of the admin."""

import pytest
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.test import RequestFactory
from django.urls import reverse

from gateway.models import RequestContent
from gateway.roles import OURS, ROLES
from tests.gateway.admin.every_page import fill
from tests.gateway.admin.stored import stored
from tests.routing.admin_forms import form_of

pytestmark = pytest.mark.django_db

LOOKERS = ("viewer", "auditor")
# What only shows something may be used by whoever may see the rows.
HARMLESS = {"compare"}


def person(role: str) -> User:
    user = User.objects.create_user(role, password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return User.objects.get(pk=user.pk)


def registered(labels=OURS):
    return [
        (model, page)
        for model, page in admin.site._registry.items()
        if model._meta.app_label in labels
    ]


def page_of(model, name: str, *args: object) -> str:
    meta = model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{name}", args=args)


def asked_by(user: User):
    request = RequestFactory().get("/admin/")
    request.user = user
    return request


def test_the_groups_come_with_the_app_and_come_back():
    assert set(Group.objects.values_list("name", flat=True)) == set(ROLES)
    Group.objects.all().delete()

    call_command("migrate", verbosity=0)

    viewer = Group.objects.get(name="viewer")
    codes = set(viewer.permissions.values_list("codename", flat=True))
    assert "view_requestlog" in codes
    assert {code.split("_")[0] for code in codes} == {"view"}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_has_the_permissions_that_it_is_for(role):
    request = asked_by(person(role))
    changes = role in ("operator", "owner")
    for model, page in registered():
        sees = role != "viewer" or model is not RequestContent
        assert page.has_view_permission(request) == sees, model
        root = asked_by(User.objects.create_superuser(f"root-{role}-{model.__name__}"))
        for what in ("add", "change", "delete"):
            check = f"has_{what}_permission"
            allowed = getattr(page, check)(request)
            assert allowed == (changes and getattr(page, check)(root)), (model, what)
        mine, all_of_them = page.get_actions(request), set(page.get_actions(root))
        assert set(mine) == (all_of_them if changes else all_of_them & HARMLESS)


@pytest.mark.parametrize(
    ("role", "sees", "changes"),
    [
        ("viewer", False, False),
        ("operator", False, False),
        ("auditor", True, False),
        ("owner", True, True),
    ],
)
def test_people_are_the_owners_and_seen_by_auditors(role, sees, changes):
    request = asked_by(person(role))
    for model in (User, Group):
        page = admin.site._registry[model]
        assert page.has_view_permission(request) == sees
        for what in ("add", "change", "delete"):
            assert getattr(page, f"has_{what}_permission")(request) == changes


@pytest.mark.parametrize(
    ("role", "exports"),
    [("viewer", False), ("auditor", True), ("operator", True), ("owner", True)],
)
def test_who_may_take_the_books_away(client, role, exports):
    client.force_login(person(role))
    for model in ("requestlog", "attempt"):
        answer = client.get(f"/admin/gateway/{model}/export/csv/")
        assert answer.status_code == (200 if exports else 403)


@pytest.mark.parametrize("role", LOOKERS)
def test_who_only_looks_changes_nothing_whatever_is_posted(client, role):
    fill("plain")
    user = person(role)
    root = asked_by(User.objects.create_superuser("root"))
    before = stored()
    client.force_login(user)
    for model, page in registered():
        pk = model._default_manager.values_list("pk", flat=True).first()
        client.post(page_of(model, "add"), {"name": "new"})
        for name in ("change", "delete"):
            client.post(page_of(model, name, pk), {"post": "yes", "_save": "Save"})
        client.post(page_of(model, "history", pk), {"version": 1})
        for action in set(page.get_actions(root)) - HARMLESS:
            data = {"action": action, ACTION_CHECKBOX_NAME: [pk], "post": "yes"}
            client.post(page_of(model, "changelist"), data)
    assert stored() == before


def test_an_owner_makes_nobody_a_superuser_and_touches_none(client):
    owner = person("owner")
    root = User.objects.create_superuser("root", password="first")
    client.force_login(owner)

    page = page_of(User, "change", owner.pk)
    everything = list(Permission.objects.values_list("pk", flat=True))
    rights = {"is_superuser": "on", "user_permissions": everything}
    sent = form_of(client.get(page), first_name="Ann", **rights)
    assert client.post(page, sent).status_code == 302
    owner.refresh_from_db()
    assert owner.first_name == "Ann"  # the form was taken, and the rights were not
    assert not owner.is_superuser
    assert not owner.user_permissions.exists()

    chosen = {"action": "delete_selected", ACTION_CHECKBOX_NAME: [root.pk]}
    client.post(page_of(User, "changelist"), chosen | {"post": "yes"})
    assert User.objects.filter(pk=root.pk).exists()

    for name in ("change", "password_change", "delete"):
        path = {
            "password_change": reverse(
                "admin:auth_user_password_change", args=(root.pk,)
            )
        }
        answer = client.post(
            path.get(name) or page_of(User, name, root.pk),
            {"username": "mine", "password1": "n3w-pass!", "password2": "n3w-pass!"},
        )
        assert answer.status_code == 403
    root.refresh_from_db()
    assert (root.username, root.check_password("first")) == ("root", True)


def test_the_log_of_the_admin_is_read_by_auditors_and_changed_by_nobody(client):
    client.force_login(User.objects.create_superuser("root"))
    assert client.get("/admin/admin/logentry/").status_code == 200
    assert client.get("/admin/admin/logentry/add/").status_code == 403
    client.force_login(person("auditor"))
    assert client.get("/admin/admin/logentry/").status_code == 200
    client.force_login(person("operator"))
    assert client.get("/admin/admin/logentry/").status_code == 403
