"""The configuration as the request path reads it: whole, and never to be changed."""

import dataclasses
from datetime import timedelta

import pytest
from django.db import connection

from gateway.runtime.snapshot import Snapshot
from routing.catalog import Alias, Catalog, Policy, PriceList
from routing.catalog import Tier as TierValue
from routing.models import (
    Backend,
    ModelAlias,
    RoutingPolicy,
    Tier,
)
from routing.secret import Secret
from tests.gateway.runtime.snapshot.rows import (
    NOW,
    add_backend,
    add_price,
    read,
)

pytestmark = pytest.mark.django_db(transaction=True)


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
    add_price(backend, NOW - timedelta(days=1))
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
    assert cloud.price == PriceList(1, 2, 3, 4)
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
