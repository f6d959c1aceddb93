"""Every change is kept, can be undone, and never overwrites another unseen."""

import json

import pytest
from django.contrib.auth.models import Permission, User
from django.core import serializers
from django.urls import reverse

from gateway.models import ApiKey
from routing import history
from routing.fields import encrypt
from routing.models import Backend, Price, RoutingPolicy, Tier
from tests.routing.admin_forms import errors, form_of

pytestmark = pytest.mark.django_db

SECRET = "sk-CANARY-of-the-history"


@pytest.fixture
def backend():
    tier = Tier.objects.create(rank=1, name="small")
    return Backend.objects.create(
        name="haiku",
        tier=tier,
        provider="anthropic",
        model="m1",
        api_key_value=encrypt(SECRET),
    )


def page(row, name: str) -> str:
    meta = row._meta
    url = f"admin:{meta.app_label}_{meta.model_name}_{name}"
    return reverse(url, args=(row.pk,))


def edit(client, row, **changes):
    url = page(row, "change")
    shown = client.get(url)
    seen = shown.context["seen_version"]
    return client.post(url, form_of(shown, seen_version=seen, **changes))


def restore(client, row, number: int):
    versions = history.versions(type(row), row.pk)
    return client.post(
        page(row, "history"), {"version": versions[number].id}, follow=True
    )


def test_the_history_tells_who_changed_what(admin_client, backend):
    edit(admin_client, backend, max_in_flight=5, model="m2")

    newest, first = history.versions(Backend, backend.pk)

    assert (newest.who, newest.kind) == ("admin", "changed")
    assert sorted(map(str, newest.differences)) == [
        "max in flight: 0 -> 5",
        "model: m1 -> m2",
    ]
    assert (first.who, first.kind) == ("a command", "created")
    shown = admin_client.get(page(backend, "history")).content.decode()
    assert "<del>m1</del>" in shown
    assert "changed by admin" in shown


def test_one_click_restores_a_row(admin_client, backend):
    edit(admin_client, backend, max_in_flight=5, model="m2")

    response = restore(admin_client, backend, 1)

    backend.refresh_from_db()
    assert (backend.model, backend.max_in_flight) == ("m1", 0)
    assert "is again what it was at" in response.content.decode()
    assert history.versions(Backend, backend.pk)[0].reason.startswith("Restored as of")


def test_a_row_that_was_deleted_comes_back(admin_client, backend):
    pk = backend.pk
    backend.delete()
    backend.pk = pk

    restore(admin_client, backend, 1)

    again = Backend.objects.get(name="haiku")
    assert (again.pk, again.model, again.api_key_value) == (pk, "m1", "")


def test_a_version_that_is_not_valid_today_changes_nothing(admin_client, backend):
    policy = RoutingPolicy.load()
    other = Tier.objects.create(rank=2, name="large")
    Tier.objects.filter(rank=1).update(max_score=30)
    policy.baseline_tier = other
    policy.save()
    policy.baseline_tier = None
    policy.save()
    other.delete()

    response = restore(admin_client, policy, 1)

    assert "It stays as it is." in response.content.decode()
    policy.refresh_from_db()
    assert policy.baseline_tier is None


def test_a_stored_key_never_goes_to_a_restored_address(admin_client, backend):
    edit(admin_client, backend, base_url="https://new.example.com", new_api_key=SECRET)
    restore(admin_client, backend, 1)

    backend.refresh_from_db()
    assert (backend.base_url, backend.api_key_value) == ("", "")


def test_a_stored_key_stays_when_its_address_does(admin_client, backend):
    edit(admin_client, backend, model="m2")
    restore(admin_client, backend, 1)

    backend.refresh_from_db()
    assert backend.api_key_value


def test_no_secret_is_in_the_history(admin_client, backend):
    edit(admin_client, backend, new_api_key=f"{SECRET}-2")
    key, secret = ApiKey.issue("laptop")
    backend.refresh_from_db()

    kept = serializers.serialize(
        "json", [*Backend.history.all(), *ApiKey.history.all()]
    )
    shown = admin_client.get(page(backend, "history")).content.decode()
    for hidden in (SECRET, backend.api_key_value, secret, key.digest):
        assert hidden not in kept
        assert hidden not in shown
    assert "The API key was replaced." in shown
    assert json.loads(kept)


def test_a_revoked_key_stays_revoked(admin_client):
    key, _ = ApiKey.issue("laptop", max_in_flight=3)
    edit_url = reverse("admin:gateway_apikey_changelist")
    chosen = {"action": "revoke_selected", "_selected_action": [key.pk]}
    admin_client.post(edit_url, {**chosen, "confirmed": "yes"})
    ApiKey.objects.update(max_in_flight=9)

    restore(admin_client, key, -1)

    key.refresh_from_db()
    assert key.revoked_at is not None
    assert key.max_in_flight == 3


def test_the_second_of_two_editors_sees_what_the_first_changed(admin_client, backend):
    url = page(backend, "change")
    shown = admin_client.get(url)
    mine = form_of(shown, seen_version=shown.context["seen_version"], model="mine")
    edit(admin_client, backend, max_in_flight=7)

    refused = admin_client.post(url, mine)

    said = " ".join(errors(refused)["__all__"])
    assert "admin changed it" in said
    assert "max in flight: 0 -> 7" in said
    backend.refresh_from_db()
    assert (backend.model, backend.max_in_flight) == ("m1", 7)

    newest = refused.context["seen_version"]
    assert f'name="seen_version" value="{newest}"' in refused.content.decode()
    admin_client.post(url, {**mine, "seen_version": newest})
    backend.refresh_from_db()
    assert backend.model == "mine"


@pytest.mark.parametrize("seen", ["", "x", "-1", "9" * 40, "٣"])
def test_a_made_up_version_is_no_error(admin_client, backend, seen):
    url = page(backend, "change")
    data = form_of(admin_client.get(url), model="m2", seen_version=seen)

    admin_client.post(url, data)

    backend.refresh_from_db()
    assert backend.model == "m2"


@pytest.mark.parametrize("version", ["", "x", "0", "999999", "9" * 40, "-1"])
def test_a_made_up_version_restores_nothing(admin_client, backend, version):
    response = admin_client.post(
        page(backend, "history"), {"version": version}, follow=True
    )

    assert "There is no such version." in response.content.decode()


def test_who_may_only_look_restores_nothing(client, backend):
    person = User.objects.create_user("viewer", is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_backend"))
    client.force_login(person)
    backend.model = "m2"
    backend.save()

    shown = client.get(page(backend, "history"))
    refused = restore(client, backend, 1)

    assert shown.status_code == 200
    assert "Restore this" not in shown.content.decode()
    assert refused.status_code == 403
    backend.refresh_from_db()
    assert backend.model == "m2"


def test_a_price_is_restored_only_when_it_was_deleted(admin_client, backend):
    price = Price.objects.create(
        backend=backend, input=1, output=2, cache_read=1, cache_write=1
    )
    assert restore(admin_client, price, 0).status_code == 403
    pk = price.pk
    price.delete()
    price.pk = pk

    restore(admin_client, price, 1)

    assert Price.objects.get().output == 2


@pytest.mark.parametrize("pk", ["999", "x"])
@pytest.mark.parametrize("name", ["history", "change"])
def test_a_row_that_never_was_leads_back(admin_client, pk, name):
    url = reverse(f"admin:routing_backend_{name}", args=(pk,))
    assert admin_client.get(url, follow=True).redirect_chain


def test_a_list_that_is_old_saves_nothing(admin_client, backend):
    url = reverse("admin:routing_backend_changelist")
    seen = admin_client.get(url).context["seen_version"]
    rows = {
        "form-TOTAL_FORMS": 1,
        "form-INITIAL_FORMS": 1,
        "form-0-id": backend.pk,
        "form-0-state": "disabled",
        "_save": "Save",
        "seen_version": seen,
    }
    edit(admin_client, backend, max_in_flight=7)

    refused = admin_client.post(url, rows, follow=True)
    backend.refresh_from_db()
    assert backend.state == "enabled"
    assert "Somebody changed these rows" in refused.content.decode()

    admin_client.post(url, rows | {"seen_version": refused.context["seen_version"]})
    backend.refresh_from_db()
    assert backend.state == "disabled"
