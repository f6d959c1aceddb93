from datetime import UTC, datetime

from routing.fields import encrypt
from routing.models import Backend, Price, Tier
from routing.review import misconfiguration, price_in_effect, provider_key
from routing.review import tiers_without_backend as empty_tiers


def test_a_missing_variable_is_named():
    backend = Backend(provider="openai", api_key_env="OPENAI_KEY")

    assert misconfiguration(backend, {}) == (
        "The environment variable OPENAI_KEY is not set."
    )
    assert misconfiguration(backend, {"OPENAI_KEY": ""}) != ""
    assert misconfiguration(backend, {"OPENAI_KEY": "sk-1"}) == ""


def test_a_stored_key_is_read_and_an_undecryptable_one_reported():
    fine = Backend(provider="openai", api_key_value=encrypt("sk-stored"))
    lost = Backend(provider="openai", api_key_value="gAAAAAsomething")

    assert provider_key(fine, {})[0].reveal() == "sk-stored"
    assert "can't be decrypted" in misconfiguration(lost, {})


def test_only_providers_that_need_a_key_ask_for_one():
    assert misconfiguration(Backend(provider="anthropic"), {}) != ""
    assert misconfiguration(Backend(provider="ollama"), {}) == ""


def test_a_provider_written_by_raw_sql_is_a_sentence_and_no_crash():
    assert (
        misconfiguration(Backend(provider="gone"), {}) == "There is no provider 'gone'."
    )


def test_the_latest_price_that_has_begun_is_in_effect(db):
    tier = Tier.objects.create(rank=1, name="small")
    backend = Backend.objects.create(name="haiku", tier=tier, provider="ollama")
    for day, nano in ((1, 10), (10, 20), (20, 30)):
        Price.objects.create(
            backend=backend,
            effective_from=datetime(2026, 1, day, tzinfo=UTC),
            input=nano,
            output=0,
            cache_read=0,
            cache_write=0,
        )

    price = price_in_effect(backend, datetime(2026, 1, 15, tzinfo=UTC))

    assert price is not None
    assert price.input == 20
    assert price_in_effect(backend, datetime(2025, 1, 1, tzinfo=UTC)) is None


def test_a_tier_whose_backends_all_rest_is_empty(db):
    small = Tier.objects.create(rank=1, name="small", max_score=30)
    large = Tier.objects.create(rank=2, name="large")
    Backend.objects.create(name="a", tier=small, provider="ollama", state="draining")
    Backend.objects.create(name="b", tier=large, provider="ollama")

    assert empty_tiers() == [small]
