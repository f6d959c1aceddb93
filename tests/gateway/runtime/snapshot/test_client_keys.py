"""Keys of clients, with their limits and what they may see."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone

from gateway.key_rows import digest_of
from gateway.ledger.books import Caller
from gateway.limits.rules import Rule
from gateway.models import ApiKey, Team
from tests.gateway.runtime.snapshot.rows import NOW, add_backend, read, refusal, sql

pytestmark = pytest.mark.django_db(transaction=True)


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
