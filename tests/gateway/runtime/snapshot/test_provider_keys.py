"""Keys of providers: read, missing, lost; shown nowhere."""

import pytest

from routing.fields import encrypt
from routing.models import Backend
from routing.review import provider_key
from routing.secret import Secret
from tests.gateway.runtime.snapshot.rows import CANARY, add_backend, read, sql

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_backend_whose_variable_is_missing_says_so_and_the_rest_serve():
    add_backend(api_key_env="CLOUD_KEY")
    catalog = read(OTHER="x").catalog
    trouble = "The environment variable CLOUD_KEY is not set."
    assert catalog.by_name["cloud"].misconfigured == trouble
    assert not catalog.by_name["cloud"].api_key
    assert catalog.by_name["local"].misconfigured == ""


def test_an_empty_variable_is_a_missing_one():
    add_backend(api_key_env="CLOUD_KEY")
    assert read(CLOUD_KEY="").catalog.by_name["cloud"].misconfigured


def test_a_stored_key_is_decrypted():
    add_backend(api_key_value=encrypt(CANARY))
    cloud = read().catalog.by_name["cloud"]
    assert (cloud.api_key.reveal(), cloud.misconfigured) == (CANARY, "")


def test_a_key_stored_under_a_lost_encryption_key_says_so_and_the_rest_serve(settings):
    settings.ENCRYPTION_KEYS = ["an earlier key"]
    add_backend(api_key_value=encrypt(CANARY))
    settings.ENCRYPTION_KEYS = ["today's key"]
    catalog = read().catalog
    cloud = catalog.by_name["cloud"]
    assert "can't be decrypted" in cloud.misconfigured
    assert not cloud.api_key
    assert CANARY not in cloud.misconfigured
    assert catalog.by_name["local"].misconfigured == ""
    settings.ENCRYPTION_KEYS = ["today's key", "an earlier key"]
    assert read().catalog.by_name["cloud"].api_key.reveal() == CANARY


@pytest.mark.parametrize("damage", ["gAAAA", "not a token", "\u2603"])
def test_a_damaged_stored_key_is_trouble_of_its_backend_alone(damage):
    add_backend()
    sql("UPDATE routing_backend SET api_key_value = %s WHERE name = 'cloud'", damage)
    cloud = read().catalog.by_name["cloud"]
    assert "can't be decrypted" in cloud.misconfigured
    assert damage not in cloud.misconfigured


def test_a_provider_that_needs_a_key_and_has_none_is_misconfigured():
    add_backend()
    assert (
        read().catalog.by_name["cloud"].misconfigured == "anthropic needs an API key."
    )
    row = Backend(name="x", provider="vllm")
    assert provider_key(row, {}) == (Secret(), "")


def test_a_provider_key_shows_itself_nowhere():
    add_backend("by-value", api_key_value=encrypt(CANARY))
    add_backend("by-name", api_key_env="CLOUD_KEY")
    snapshot = read(CLOUD_KEY=CANARY)
    for name in ("by-value", "by-name"):
        backend = snapshot.catalog.by_name[name]
        assert backend.api_key.reveal() == CANARY
        for value in (backend, backend.api_key, snapshot, snapshot.catalog):
            assert CANARY not in f"{value!r} {value!s} {value}"
    row = Backend.objects.get(name="by-value")
    assert CANARY not in f"{row!r} {row.api_key_value} {row.__dict__}"
