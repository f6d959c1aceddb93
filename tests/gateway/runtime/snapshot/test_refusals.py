"""Rows that no form would take are refused, with a sentence."""

import pytest
from django.db import connection

from gateway.models import ApiKey
from routing.models import (
    Backend,
    RoutingPolicy,
    Tier,
)
from tests.gateway.runtime.snapshot.rows import (
    NOW,
    add_backend,
    add_price,
    read,
    refusal,
    sql,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_thresholds_that_do_not_rise_are_refused():
    Tier.objects.create(rank=3, name="largest")
    sql("UPDATE routing_tier SET max_score = 40 WHERE rank = 2")
    assert refusal() == (
        "Tier 2 ends at score 40, which is not above the tier below it (40)."
    )


def test_a_tier_without_a_threshold_that_is_not_the_last_is_refused():
    sql("UPDATE routing_tier SET max_score = NULL WHERE rank = 1")
    assert refusal() == "Tier 1 has no highest score, but it is not the last tier."


def test_an_unknown_provider_is_refused():
    sql("UPDATE routing_backend SET provider = 'acme'")
    assert refusal() == (
        "Backend local is invalid. provider: Value 'acme' is not a valid choice."
    )


@pytest.mark.parametrize("weight", [0, -1, 0.001])
def test_a_weight_that_is_no_share_is_refused(weight):
    sql("UPDATE routing_backend SET weight = %s", weight)
    assert refusal().startswith("Backend local is invalid. weight: ")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("state", "paused"),
        ("base_url", "ftp://example.com"),
        ("base_url", "http://user:password@example.com"),
        ("name", "tier-1"),
        ("name", "two words"),
        ("api_key_env", "$KEY"),
    ],
)
def test_a_backend_that_no_form_would_take_is_refused(column, value):
    sql(f"UPDATE routing_backend SET {column} = %s", value)
    assert refusal().startswith("Backend ")
    assert "password" not in refusal()


@pytest.mark.parametrize(
    ("address", "private", "reason"),
    [
        ("http://169.254.169.254/v1", "allow", "link-local and metadata addresses are"),
        ("http://0.0.0.0:11434", "allow", "this is not the address of a host"),
        ("http://127.0.0.1:11434", "deny", "private addresses are shut off"),
    ],
)
def test_a_row_at_an_address_that_is_never_connected_to_stops_no_other(
    settings, address, private, reason
):
    settings.PRIVATE_UPSTREAMS = private
    add_backend(provider="ollama", base_url="http://ollama.example")
    sql("UPDATE routing_backend SET base_url = %s WHERE name = 'cloud'", address)
    catalog = read().catalog

    assert catalog.by_name["cloud"].misconfigured.startswith(
        f"The gateway never connects to its address: {reason}"
    )
    assert catalog.by_name["local"].misconfigured == ""


BAD_POLICY = [
    ("client_model", "guess"),
    ("cache_matching", "fuzzy"),
    ("cold_start", "warm"),
    ("on_disconnect", "ignore"),
    ("sidecar_url", "classifier"),
    ("cache_similarity", 1.01),
    ("cache_similarity", -0.01),
    ("cache_max_temperature", 2.5),
    ("cache_stale_seconds", -1),
    ("cache_audit_share", 1.5),
    ("cache_audit_budget_usd", -1),
    ("cache_max_false_hit_share", -0.1),
    ("cache_min_audits", 0),
    ("sidecar_weight", 1.5),
    ("learned_threshold", 0.0),
    ("learned_target", "luck"),
    ("cascade", "maybe"),
    ("cascade_band", 1.5),
    ("cascade_check", "taste"),
    ("contents", "everything"),
    ("contents_chars", 0),
    ("contents_retention_days", 0),
    ("cascade_confidence", -0.1),
    ("cascade_window", 0),
    ("cascade_hold_seconds", 31.0),
    ("learned_target_value", 1.1),
    ("learning", "maybe"),
    ("learned_exploration", -0.1),
    ("learned_soft_share", 0.6),
    ("learned_pair_share", 1.1),
    ("learned_pair_budget_usd", -1),
    ("sidecar_budget_seconds", 2.1),
    ("learned_refit_every", 19),
    ("learned_shadow_requests", 0),
    ("retry_budget", 1.1),
    ("cache_max_entries", 0),
    ("cache_max_bytes", 0),
    ("cache_ttl_seconds", 0),
    ("cache_max_ttl_seconds", 0),
    ("sharing_buffer_bytes", 0),
    ("max_feedback", 0),
    ("holdout_share", 0.06),
    ("budget_cap_share", 0.96),
    ("budget_cheapest_share", 1.1),
    ("budget_cap_tier", 10_000),
    ("max_attempts", 0),
    ("max_attempts", 11),
    ("drain_seconds", -1),
    ("connect_timeout_seconds", 0),
    ("first_byte_timeout_seconds", 0),
    ("read_timeout_seconds", 0),
    ("write_timeout_seconds", 0),
    ("stream_max_seconds", 0),
    ("max_answer_bytes", 0),
    ("keepalive_seconds", 0),
    ("default_max_output_tokens", 0),
    ("log_retention_days", 0),
    ("write_timeout_seconds", float("inf")),
]


if connection.vendor == "sqlite":  # PostgreSQL's column takes no such text at all
    BAD_POLICY += [
        (column, "j" * 129)
        for column in ("cache_judge", "cache_embeddings", "cascade_judge")
    ]


@pytest.mark.parametrize(("column", "value"), BAD_POLICY)
def test_a_policy_that_no_form_would_take_is_refused(column, value):
    RoutingPolicy.load()
    sql(f"UPDATE routing_routingpolicy SET {column} = %s", value)
    assert refusal().startswith("The routing policy is invalid. ")
    assert column in refusal()


def test_every_bounded_rule_of_the_policy_has_a_bad_value_here():
    bounded = {
        field.name
        for field in RoutingPolicy._meta.fields
        if field.choices or (field.validators and not field.primary_key)
    }
    bad = {column for column, _ in BAD_POLICY} | {
        "sidecar_url",
        "cache_judge",
        "cache_embeddings",
        "cascade_judge",
        "learned_judge",
    }
    assert bounded <= bad


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE routing_tier SET max_score = 'high' WHERE rank = 1",
        "UPDATE routing_routingpolicy SET max_attempts = 'many'",
        "UPDATE routing_backend SET weight = 'heavy'",
        "UPDATE gateway_apikey SET expires_at = 'soon'",
        "UPDATE gateway_apikey SET expires_at = 17",
        "UPDATE routing_price SET effective_from = 'soon'",
        "UPDATE routing_price SET effective_from = 17",
    ],
)
def test_a_word_where_a_number_belongs_is_refused_with_a_sentence(statement):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL refuses such a value itself.")
    RoutingPolicy.load()
    ApiKey.issue("laptop")
    add_price(Backend.objects.get(), NOW)
    sql(statement)
    assert refusal().endswith(".")
