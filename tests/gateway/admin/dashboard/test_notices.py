import pytest
from django.utils import timezone

from gateway.models import ApiKey
from routing.models import Backend, Price, Tier

pytestmark = pytest.mark.django_db


def index(admin_client) -> str:
    return admin_client.get("/admin/").content.decode()


def backend(**fields) -> Backend:
    tier, _ = Tier.objects.get_or_create(rank=1, defaults={"name": "small"})
    return Backend.objects.create(tier=tier, model="m", **fields)


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


def test_nothing_is_said_of_a_backend_that_is_fine_or_disabled(admin_client):
    fine = backend(name="llama", provider="ollama")
    Price.objects.create(backend=fine, input=0, output=0, cache_read=0, cache_write=0)
    backend(name="resting", provider="openai", state="disabled")

    page = index(admin_client)

    assert "llama is misconfigured" not in page
    assert "has no price" not in page
    assert "resting is" not in page


def test_a_tier_without_an_enabled_backend_is_named(admin_client):
    backend(name="llama", provider="ollama", state="draining")

    assert "Tier 1 - small has no enabled backend" in index(admin_client)
