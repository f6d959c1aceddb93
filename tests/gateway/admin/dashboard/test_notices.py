from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from gateway.admin.dashboard.notices import notices
from gateway.asgi.context import RUNTIME
from gateway.models import ApiKey
from gateway.runtime.database import in_database
from routing.models import Backend, Price, Retirement, Tier
from tests.harness import one_backend, serving

pytestmark = pytest.mark.django_db


def index(admin_client) -> str:
    return admin_client.get("/admin/").content.decode()


def backend(**fields) -> Backend:
    tier, _ = Tier.objects.get_or_create(rank=1, defaults={"name": "small"})
    return Backend.objects.create(**{"tier": tier, "model": "m", **fields})


def test_open_mode_is_said_until_there_is_a_key(admin_client):
    assert "Open mode" in index(admin_client)

    ApiKey.issue("app")

    assert "Open mode" not in index(admin_client)


def test_a_revoked_key_does_not_open_the_gateway_again(admin_client):
    ApiKey.issue("app")
    ApiKey.objects.update(revoked_at=timezone.now())

    assert "Open mode" not in index(admin_client)


def test_what_needs_a_hand_is_named(admin_client):
    assert "No backend is enabled." in index(admin_client)
    backend(name="haiku", provider="openai", api_key_env="NO_SUCH_VARIABLE_HERE")

    page = index(admin_client)

    assert "haiku is misconfigured." in page
    assert "NO_SUCH_VARIABLE_HERE is not set." in page
    assert "haiku has no price" in page


def test_what_does_not_work_comes_first_and_a_long_list_is_folded(admin_client):
    for number in range(9):
        backend(name=f"unpriced-{number}", provider="ollama")
    backend(name="haiku", provider="openai", api_key_env="NO_SUCH_VARIABLE_HERE")

    response = admin_client.get("/admin/")

    told = response.context["notices"]
    assert [notice.text.split(".")[0] for notice in told if notice.grave] == [
        "haiku is misconfigured"
    ]
    assert told[0].grave
    shown, folded = response.content.decode().split("All the others")
    assert "What needs attention (13)" in shown
    assert "haiku is misconfigured." in shown
    assert "unpriced-8 has no price" in folded


def test_nothing_is_said_of_a_backend_that_is_fine_or_disabled(admin_client):
    fine = backend(name="llama", provider="ollama")
    Price.objects.create(backend=fine, input=0, output=0, cache_read=0, cache_write=0)
    backend(name="resting", provider="openai", state="disabled")

    page = index(admin_client)

    assert "llama is misconfigured" not in page
    assert "has no price" not in page
    assert "resting is" not in page


def test_a_model_that_retires_soon_is_named_with_the_way_to_another(admin_client):
    day = timezone.now().date() + timedelta(days=20)
    told = Retirement.objects.create(
        provider="openai", names="m-*", day=day, confirmed_on=day
    )
    soon = backend(name="soon", provider="openai", model="m-1")
    backend(name="resting", provider="openai", model="m-2", state="disabled")

    page = index(admin_client)

    assert f"soon: its provider turns m-1 off in 20 days, on {day}." in page
    assert reverse("admin:routing_backend_change", args=(soon.pk,)) in page
    assert "turns m-2 off" not in page
    assert "is not confirmed" not in page

    Retirement.objects.update(confirmed_on=None)

    page = index(admin_client)
    assert "The day came with the gateway and is not confirmed." in page
    assert reverse("admin:routing_retirement_change", args=(told.pk,)) in page


def test_a_tier_without_an_enabled_backend_is_named(admin_client):
    backend(name="llama", provider="ollama", state="draining")

    assert "Tier 1 - small has no enabled backend" in index(admin_client)


async def test_the_process_tells_what_is_refused_lost_or_down(
    transactional_db, upstream, tmp_path
):
    catalog = one_backend(upstream.url)
    unpriced = replace(catalog, backends=(replace(catalog.backends[0], price=None),))
    async with serving(unpriced, tmp_path) as gateway:
        gateway.runtime.books.unrecorded = 3
        gateway.runtime.trouble = lambda: [
            gateway.runtime.snapshot.without_price,
            "The newest configuration is refused: no.",
        ]
        request = RequestFactory().get("/admin/")
        request.scope = {RUNTIME: gateway.runtime}
        request.user = User(is_superuser=True)
        told = await in_database(notices, request)

    assert [notice.text for notice in told if notice.grave][:2] == [
        "The newest configuration is refused: no.",
        "The disk was full: 3 records could not be kept.",
    ]
    assert not any("missing in every sum" in notice.text for notice in told)


def test_the_list_by_itself_says_what_the_page_says(admin_client):
    def alone() -> str:
        return admin_client.get("/admin/attention/").content.decode()

    backend(name="<b>", provider="openai-compatible", base_url="http://a/v1")
    before, whole = alone(), index(admin_client)
    ApiKey.issue("app")
    after = alone()

    assert before.strip() in whole
    assert "What needs attention" in before
    assert "&lt;b&gt; has no price" in before
    assert "<html" not in before
    assert "Open mode" in before
    assert "Open mode" not in after


def test_the_list_is_for_people_who_are_logged_in(client):
    assert client.get("/admin/attention/").status_code == 403
    assert client.post("/admin/attention/").status_code == 405


def test_who_may_not_see_the_backends_hears_nothing_of_them(client, django_user_model):
    backend(name="haiku", provider="openai", api_key_env="NO_SUCH_VARIABLE_HERE")
    client.force_login(django_user_model.objects.create_user("ann", is_staff=True))

    urls = ("/admin/", "/admin/attention/")
    pages = [client.get(url).content.decode() for url in urls]

    assert not any("haiku" in page or "needs attention" in page for page in pages)
