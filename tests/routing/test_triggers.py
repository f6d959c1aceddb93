"""Every change of a configuration table is counted, whoever makes it."""

import json
from datetime import UTC, datetime

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from gateway.models import ApiKey, Attempt, CacheLevelOff, CachePurge, Team
from routing import triggers
from routing.models import (
    Backend,
    ConfigVersion,
    Feedback,
    Intent,
    IntentCheck,
    ModelAlias,
    Price,
    RouterModel,
    RoutingPolicy,
    Tier,
    TrailPin,
    VotedBorder,
)

pytestmark = pytest.mark.django_db(transaction=True)
WATCHED = (Tier, Backend, Price, ModelAlias, RoutingPolicy, RouterModel, ApiKey, Team)


def version(model):
    return ConfigVersion.objects.get(table=model._meta.db_table).version


def sql(statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


@pytest.fixture
def one_row_of_each():
    tier = Tier.objects.create(rank=1, name="small")
    backend = Backend.objects.create(
        name="local", tier=tier, provider="ollama", model="m"
    )
    Price.objects.create(
        backend=backend, input=1, output=1, cache_read=1, cache_write=1
    )
    ModelAlias.objects.create(pattern="gpt-*", tier=tier)
    RoutingPolicy.load()
    RouterModel.keep(b"", {})
    ApiKey.issue("laptop")
    Team.objects.create(name="red")


COLUMN = {
    Tier: "name = 'tiny'",
    Backend: "model = 'n'",
    Price: "input = 2",
    ModelAlias: "position = 3",
    RoutingPolicy: "max_attempts = 2",
    RouterModel: "status = 'shadow'",
    ApiKey: "prefix = 'b'",
    Team: "name = 'blue'",
}


@pytest.mark.parametrize("model", WATCHED)
def test_an_update_by_raw_sql_is_counted(model, one_row_of_each):
    before = version(model)
    sql(f"UPDATE {model._meta.db_table} SET {COLUMN[model]}")
    assert version(model) == before + 1


@pytest.mark.parametrize("model", WATCHED)
def test_a_delete_by_raw_sql_is_counted(model, one_row_of_each):
    ModelAlias.objects.all().delete()
    Price.objects.all().delete()
    if model is Tier:
        Backend.objects.all().delete()
    if model in (Price, ModelAlias):
        fill_again(model)
    before = version(model)
    sql(f"DELETE FROM {model._meta.db_table}")
    assert version(model) == before + 1


def fill_again(model):
    backend = Backend.objects.get()
    if model is Price:
        prices = dict.fromkeys(("input", "output", "cache_read", "cache_write"), 1)
        Price.objects.create(backend=backend, **prices)
    else:
        ModelAlias.objects.create(pattern="gpt-*", tier=backend.tier)


@pytest.mark.parametrize("model", WATCHED)
def test_an_insert_by_raw_sql_is_counted(model, one_row_of_each):
    table = model._meta.db_table
    columns = [field.column for field in model._meta.fields]
    [row] = model.objects.values_list(*[field.attname for field in model._meta.fields])
    row = [json.dumps(v) if isinstance(v, dict | list) else v for v in row]
    if model in (Tier, Backend):
        Backend.objects.all().delete()
    model.objects.all().delete()
    before = version(model)
    names = ", ".join(f'"{name}"' for name in columns)
    sql(f"INSERT INTO {table} ({names}) VALUES ({', '.join(['%s'] * len(row))})", *row)
    assert version(model) > before


def test_the_orm_is_counted_like_anybody_else(one_row_of_each):
    before = version(Tier)
    Tier.objects.create(rank=2, name="large")
    Tier.objects.filter(rank=1).update(max_score=30)
    Tier.objects.get(rank=2).delete()
    assert version(Tier) == before + 3


def test_a_fixture_that_is_loaded_is_counted(tmp_path):
    before = version(Tier)
    fixture = tmp_path / "tiers.json"
    row = {"model": "routing.tier", "pk": 9, "fields": {"rank": 9, "name": "loaded"}}
    fixture.write_text(json.dumps([row]))
    call_command("loaddata", str(fixture), verbosity=0)
    assert version(Tier) > before


def test_a_change_of_one_table_counts_for_no_other(one_row_of_each):
    before = dict(ConfigVersion.objects.values_list("table", "version"))
    sql("UPDATE routing_tier SET name = 'tiny'")
    after = dict(ConfigVersion.objects.values_list("table", "version"))
    assert {table for table in after if after[table] != before[table]} == {
        "routing_tier"
    }


def test_rows_that_are_no_configuration_are_not_counted(one_row_of_each):
    before = dict(ConfigVersion.objects.values_list("table", "version"))
    Feedback.objects.create(score=0.5, tier=1, quality=1.0, scope="key:1")
    Attempt.objects.create(attempt_id="a", at=datetime.now(UTC), tier=1)
    assert dict(ConfigVersion.objects.values_list("table", "version")) == before


def test_a_change_that_is_rolled_back_is_not_counted(one_row_of_each):
    before = version(Tier)
    with pytest.raises(IntegrityError), transaction.atomic():
        sql("UPDATE routing_tier SET name = 'tiny'")
        sql("INSERT INTO routing_configversion VALUES ('routing_tier', 1)")
    assert version(Tier) == before
    assert Tier.objects.get().name == "small"


def test_a_counter_that_vanished_comes_back_with_the_next_migrate(one_row_of_each):
    ConfigVersion.objects.all().delete()
    call_command("migrate", verbosity=0)
    more = (CachePurge, CacheLevelOff, Intent, IntentCheck, TrailPin, VotedBorder)
    tables = {m._meta.db_table for m in (*WATCHED, *more)}
    assert set(ConfigVersion.objects.values_list("table", flat=True)) == tables


def test_installing_again_keeps_the_counters_and_counts_once(one_row_of_each):
    before = version(Tier)
    triggers.install(["routing_tier"])
    triggers.install(["routing_tier"])
    assert version(Tier) == before
    sql("UPDATE routing_tier SET name = 'tiny'")
    assert version(Tier) == before + 1


def test_a_migrate_brings_back_triggers_that_a_rebuilt_table_lost(one_row_of_each):
    if connection.vendor == "postgresql":
        sql("DROP TRIGGER config_change_counts ON routing_tier")
    else:
        for event in ("insert", "update", "delete"):
            sql(f"DROP TRIGGER routing_tier_{event}_counts")
    before = version(Tier)
    sql("UPDATE routing_tier SET name = 'tiny'")
    assert version(Tier) == before
    call_command("migrate", verbosity=0)
    sql("UPDATE routing_tier SET name = 'small'")
    assert version(Tier) == before + 1


def test_emptying_a_table_at_once_is_counted(one_row_of_each):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no TRUNCATE.")
    before = version(ModelAlias)
    sql("TRUNCATE routing_modelalias")
    assert version(ModelAlias) > before
