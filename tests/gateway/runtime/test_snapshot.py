"""The configuration as the request path reads it: whole, checked, without secrets."""

import dataclasses
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone

from gateway.ledger.books import Caller
from gateway.limits.rules import Rule
from gateway.models import ApiKey, Team, digest_of
from gateway.runtime.snapshot import InvalidConfiguration, Snapshot, build, provider_key
from routing.catalog import Alias, Catalog, Policy, PriceList, Secret
from routing.catalog import Tier as TierValue
from routing.fields import encrypt
from routing.models import (
    Backend,
    ModelAlias,
    Price,
    RouterModel,
    RoutingPolicy,
    Tier,
)
from tests.routing.learned.samples import small_router

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CANARY = "sk-canary-0123456789"


@pytest.fixture(autouse=True)
def two_tiers():
    small = Tier.objects.create(rank=1, name="small", max_score=40)
    Tier.objects.create(rank=2, name="large")
    Backend.objects.create(name="local", tier=small, provider="ollama", model="llama")


def sql(statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def read(**environ):
    return build(NOW, environ)


def refusal():
    with pytest.raises(InvalidConfiguration) as error:
        read()
    return str(error.value)


def add_backend(name="cloud", **fields):
    tier = Tier.objects.get(rank=2)
    fields = {"provider": "anthropic", "model": "claude", **fields}
    return Backend.objects.create(name=name, tier=tier, **fields)


def add_price(backend, effective_from, **amounts):
    amounts = {"input": 1, "output": 2, "cache_read": 3, "cache_write": 4, **amounts}
    return Price.objects.create(
        backend=backend, effective_from=effective_from, **amounts
    )


# --- what is in it --------------------------------------------------------------------


def test_an_empty_database_gives_an_empty_configuration_with_defaults():
    Backend.objects.all().delete()
    Tier.objects.all().delete()
    snapshot = read()
    assert snapshot.catalog == Catalog((), (), (), Policy())
    assert (dict(snapshot.keys), snapshot.has_keys) == ({}, False)


def test_the_rows_become_values():
    backend = add_backend(
        base_url="https://example.com/v1",
        api_key_env="CLOUD_KEY",
        context_window=200_000,
        max_in_flight=7,
        weight=2.5,
        state="draining",
    )
    price = add_price(backend, NOW - timedelta(days=1))
    ModelAlias.objects.create(position=1, pattern="gpt-*", tier=backend.tier)
    ModelAlias.objects.create(position=2, pattern="claude", backend=backend)
    catalog = read(CLOUD_KEY="secret").catalog
    assert catalog.tiers == (TierValue(1, "small", 40), TierValue(2, "large"))
    assert [b.name for b in catalog.backends] == ["local", "cloud"]
    cloud = catalog.by_name["cloud"]
    assert (cloud.tier, cloud.provider, cloud.model) == (2, "anthropic", "claude")
    assert cloud.base_url == "https://example.com/v1"
    assert cloud.api_key == Secret("secret")
    assert (cloud.context_window, cloud.max_in_flight, cloud.weight) == (
        200_000,
        7,
        2.5,
    )
    assert (cloud.state, cloud.misconfigured, cloud.id) == ("draining", "", backend.pk)
    assert cloud.price == PriceList(1, 2, 3, 4, price.pk)
    assert catalog.aliases == (Alias("gpt-*", tier=2), Alias("claude", backend="cloud"))


def test_every_rule_of_the_policy_is_read():
    row = RoutingPolicy.load()
    row.baseline_tier = Tier.objects.get(rank=1)
    row.save()
    policy = read().catalog.policy
    for field in dataclasses.fields(Policy):
        expected = 1 if field.name == "baseline_tier" else getattr(row, field.name)
        assert getattr(policy, field.name) == expected


def test_without_a_policy_row_the_defaults_of_both_are_the_same():
    without = read().catalog.policy
    RoutingPolicy.load()
    assert read().catalog.policy == without


def test_reading_writes_nothing():
    read()
    assert not RoutingPolicy.objects.exists()


# --- prices ---------------------------------------------------------------------------


STEP = {"above": 200, "input": 5, "output": 6, "cache_read": 7, "cache_write": 8}


def test_the_prices_of_longer_prompts_are_read():
    row = add_price(Backend.objects.get(), NOW, longer=[STEP])

    price = read().catalog.by_name["local"].price
    assert price.longer == ((200, PriceList(5, 6, 7, 8)),)
    assert price.price_id == row.pk


@pytest.mark.parametrize(
    "longer",
    [
        "cheap",
        [7],
        [{"above": 200}],
        [{**STEP, "input": -1}],
        [{**STEP, "input": 1.5}],
        [{**STEP, "above": True}],
        [STEP, STEP],
        {"a": 1},
    ],
)
def test_prices_of_longer_prompts_that_mean_nothing_are_refused(longer):
    row = add_price(Backend.objects.get(), NOW, longer=longer)

    with pytest.raises(InvalidConfiguration, match=f"Price {row.pk} is invalid"):
        read()


def test_a_price_is_used_from_its_moment_on():
    backend = Backend.objects.get()
    add_price(backend, NOW - timedelta(days=30), input=10)
    add_price(backend, NOW - timedelta(days=10), input=20)
    add_price(backend, NOW + timedelta(hours=1), input=30)
    add_price(backend, NOW + timedelta(hours=2), input=40)

    def at(moment):
        snapshot = build(moment, {})
        return snapshot.catalog.by_name["local"].price, snapshot.changes_at

    before = NOW - timedelta(days=31)
    assert at(before) == (None, (NOW - timedelta(days=30)).timestamp())
    price, changes_at = at(NOW)
    assert price.input == 20
    assert changes_at == (NOW + timedelta(hours=1)).timestamp()
    price, changes_at = at(NOW + timedelta(hours=1))
    assert (price.input, changes_at) == (30, (NOW + timedelta(hours=2)).timestamp())
    price, changes_at = at(NOW + timedelta(hours=2))
    assert (price.input, changes_at) == (40, None)


def test_the_next_change_is_the_earliest_of_all_backends():
    add_price(Backend.objects.get(), NOW + timedelta(hours=2))
    add_price(add_backend(), NOW + timedelta(hours=1))
    assert read().changes_at == (NOW + timedelta(hours=1)).timestamp()


# --- provider keys --------------------------------------------------------------------


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


# --- clients' keys --------------------------------------------------------------------


def test_a_key_is_found_by_the_digest_of_its_secret():
    key, secret = ApiKey.issue("laptop", team="blue", min_tier=1, max_tier=2)
    snapshot = read()
    assert snapshot.has_keys
    assert snapshot.keys[digest_of(secret)].caller == Caller(
        scope="team:blue",
        key_name="laptop",
        team="blue",
        key_id=key.pk,
        min_tier=1,
        max_tier=2,
    )
    assert snapshot.keys[digest_of(secret)].expires_at is None
    assert secret not in repr(snapshot)


def test_a_key_without_a_team_has_a_scope_of_its_own():
    key, secret = ApiKey.issue("laptop", may_pin=False, max_in_flight=3)
    caller = read().keys[digest_of(secret)].caller
    assert caller.scope == f"key:{key.pk}"
    assert (caller.may_pin, caller.max_in_flight) == (False, 3)


def test_a_key_carries_its_limits_and_those_of_its_team_in_the_teams_time_zone():
    key, secret = ApiKey.issue("ci", team="web", requests_per_minute=60)
    Team.objects.update(time_zone="Asia/Kathmandu", budget_month_usd="12.5")
    zone, team = ZoneInfo("Asia/Kathmandu"), Team.objects.get()

    assert read().keys[digest_of(secret)].caller.rules == (
        Rule(f"key:{key.pk}", 'key "ci"', "requests", "minute", 60, zone),
        Rule(f"team:{team.pk}", 'team "web"', "usd", "month", 12_500_000_000, zone),
    )


def test_a_team_whose_time_zone_does_not_exist_is_refused():
    ApiKey.issue("ci", team="web")
    sql("UPDATE gateway_team SET time_zone = 'Mars/Olympus'")
    assert refusal().startswith("Team web is invalid. time_zone: There is no time zone")


def test_a_key_sees_the_models_it_may_use_and_finds_no_others_answers():
    add_backend("cloud", model="gpt-5-mini")
    ApiKey.issue("ci", allowed_models="gpt-*-mini")
    snapshot = read()
    (key,) = snapshot.keys.values()

    seen = snapshot.seen_by(key.caller)

    assert [backend.name for backend in seen.catalog.backends] == ["cloud"]
    assert {tier.rank for tier in seen.catalog.tiers} == {seen.catalog.backends[0].tier}
    assert seen.fingerprint_for("x") != snapshot.fingerprint_for("x")
    assert snapshot.seen_by(Caller("x")) is snapshot


def test_a_revoked_key_is_gone_and_still_ends_open_mode():
    key, secret = ApiKey.issue("laptop")
    ApiKey.objects.update(revoked_at=timezone.now())
    snapshot = read()
    assert digest_of(secret) not in snapshot.keys
    assert snapshot.has_keys
    key.delete()
    assert not read().has_keys


def test_a_key_revoked_with_a_malformed_date_is_revoked():
    _, secret = ApiKey.issue("laptop")
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL refuses such a value itself.")
    sql("UPDATE gateway_apikey SET revoked_at = strftime('%%s', 'now')")
    assert digest_of(secret) not in read().keys


def test_a_key_carries_the_moment_of_its_end():
    _, secret = ApiKey.issue("laptop", expires_at=NOW + timedelta(days=1))
    ends = read().keys[digest_of(secret)].expires_at
    assert ends == (NOW + timedelta(days=1)).timestamp()


# --- what is refused ------------------------------------------------------------------


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
    BAD_POLICY += [("cache_judge", "j" * 129), ("cascade_judge", "j" * 129)]


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


# --- never half of a change -----------------------------------------------------------


def test_a_change_that_falls_between_the_reads_is_read_again():
    other = Backend.objects.get()
    changed = []

    def change_after_tiers(execute, sql_text, params, many, context):
        result = execute(sql_text, params, many, context)
        if '"routing_tier"."max_score"' in sql_text and not changed:
            changed.append(True)
            Tier.objects.filter(rank=1).update(max_score=55)
            Backend.objects.filter(pk=other.pk).update(model="newer")
        return result

    with connection.execute_wrapper(change_after_tiers):
        snapshot = read()
    assert changed
    assert snapshot.catalog.tiers[0].max_score == 55
    assert snapshot.catalog.by_name["local"].model == "newer"


def test_a_snapshot_cannot_be_changed():
    snapshot = read()
    with pytest.raises(dataclasses.FrozenInstanceError):
        snapshot.has_keys = True
    with pytest.raises(dataclasses.FrozenInstanceError):
        snapshot.catalog.by_name["local"].weight = 5
    assert isinstance(snapshot, Snapshot)


# --- routers --------------------------------------------------------------------------


def keep_router(data: bytes | None = None) -> RouterModel:
    data = small_router().dump() if data is None else data
    return RouterModel.keep(data, {"objections": []})


def price_both_tiers():
    add_price(Backend.objects.get(name="local"), NOW, input=1_000, output=5_000)
    cloud = add_backend(provider="ollama")
    add_price(cloud, NOW, input=15_000, output=75_000)


def test_the_active_and_the_watched_router_are_part_of_it():
    price_both_tiers()
    keep_router().activate()
    keep_router().watch()

    brain = read().catalog.brain

    assert (brain.router.version, brain.shadow.version) == (1, 2)
    assert brain.router.tiers == [1, 2]
    assert brain.router.target.value == 0.02
    assert not brain.learning


def test_nothing_is_there_to_decide_with_until_something_is_trained():
    keep_router()

    assert read().catalog.brain is None


@pytest.mark.parametrize("data", [b"nonsense", None], ids=["damaged", "unpriced"])
def test_a_router_that_cannot_decide_here_is_told_and_the_rest_serves(data):
    add_backend(provider="ollama")
    keep_router(data).activate()

    found = read()

    assert found.catalog.brain is None
    [note] = found.notes
    assert note.startswith("Router 1 is active and can't be used:")


def test_the_target_is_part_of_the_policy():
    price_both_tiers()
    keep_router().activate()
    RoutingPolicy.load()
    RoutingPolicy.objects.update(learned_target="top_share", learned_target_value=0.1)

    router = read().catalog.brain.router

    assert (router.target.kind, router.target.value) == ("top_share", 0.1)
    assert router.outlook.top_share <= 0.1
