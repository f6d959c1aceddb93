"""Changes of the configuration are live by themselves; mistakes are not."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import F
from structlog.testing import capture_logs

from gateway.key_rows import digest_of
from gateway.models import ApiKey, RequestLog
from gateway.runtime.refresher import Refresher
from gateway.runtime.snapshot import build, utc_now
from routing.models import ConfigVersion
from tests.gateway.ledger.samples import request
from tests.gateway.runtime.refreshing import add_price, local, sql
from tests.harness import Clock

pytestmark = pytest.mark.django_db(transaction=True)

# --- seeing ---------------------------------------------------------------------------


def test_while_nothing_changes_one_small_query_is_all(
    refresher, listener, django_assert_num_queries
):
    for _ in range(3):
        with django_assert_num_queries(1):
            refresher.refresh()
    assert listener.heard == []


def test_looking_once_a_minute_is_news_only_when_a_trigger_missed_something(
    backend, listener
):
    clock = Clock()
    refresher = Refresher(build(utc_now()), listener, clock=clock)
    with capture_logs() as silence:
        clock.now += 61
        refresher.refresh()
    with capture_logs() as news:
        sql("UPDATE routing_backend SET model = 'other'")
        counter = ConfigVersion.objects.filter(table="routing_backend")
        counter.update(version=F("version") - 1)
        refresher.refresh()
        unseen = local(refresher).model
        clock.now += 61
        refresher.refresh()

    assert silence == []
    assert (unseen, local(refresher).model) == ("llama", "other")
    assert [line["event"] for line in news] == ["configuration_live"]


def test_log_rows_are_no_change_of_the_configuration(
    refresher, django_assert_num_queries
):
    row = {k: v for k, v in request().items() if k not in ("t", "at")}
    RequestLog.objects.create(at=utc_now(), **row)
    with django_assert_num_queries(1):
        refresher.refresh()


def test_a_change_is_read_once(refresher, listener, django_assert_num_queries):
    sql("UPDATE routing_backend SET model = 'newer'")
    refresher.refresh()
    with django_assert_num_queries(1):
        refresher.refresh()
    assert len(listener.heard) == 1
    assert listener.heard == [refresher.current]


UPDATES = [
    (
        "UPDATE routing_tier SET max_score = 55 WHERE rank = 1",
        lambda s: s.catalog.tiers[0].max_score == 55,
    ),
    (
        "UPDATE routing_backend SET model = 'newer'",
        lambda s: s.catalog.by_name["local"].model == "newer",
    ),
    (
        "UPDATE routing_price SET input = 99",
        lambda s: s.catalog.by_name["local"].price.input == 99,
    ),
    (
        "UPDATE routing_modelalias SET pattern = 'o1-*'",
        lambda s: s.catalog.aliases[0].pattern == "o1-*",
    ),
    (
        "UPDATE routing_routingpolicy SET max_attempts = 2",
        lambda s: s.catalog.policy.max_attempts == 2,
    ),
    ("DELETE FROM routing_modelalias", lambda s: s.catalog.aliases == ()),
    ("DELETE FROM routing_price", lambda s: s.catalog.by_name["local"].price is None),
    (
        "DELETE FROM routing_routingpolicy",
        lambda s: s.catalog.policy.max_attempts == 3,
    ),
    ("DELETE FROM routing_tier WHERE rank = 2", lambda s: len(s.catalog.tiers) == 1),
    (
        "INSERT INTO routing_tier (rank, name) VALUES (3, 'largest')",
        None,  # refused: tier 2 has no threshold then
    ),
]


@pytest.mark.parametrize(("statement", "seen"), UPDATES)
def test_raw_sql_is_seen_by_the_next_look(refresher, statement, seen):
    before = refresher.current
    sql(statement)
    refresher.refresh()
    if seen is None:
        assert refresher.refused
        assert refresher.current is before
    else:
        assert seen(refresher.current)
        assert not refresher.refused


def test_a_backend_that_comes_and_goes_by_raw_sql_is_seen(refresher, backend):
    sql(
        "INSERT INTO routing_backend (name, tier_id, provider, model, base_url, "
        "api_key_env, api_key_value, max_in_flight, weight, state, updated_at) "
        "VALUES ('second', %s, 'vllm', 'm', '', '', '', 0, 1.0, 'enabled', %s)",
        backend.tier_id,
        "2026-01-01 00:00:00+00:00",
    )
    refresher.refresh()
    assert set(refresher.current.catalog.by_name) == {"local", "second"}
    sql("DELETE FROM routing_backend WHERE name = 'second'")
    refresher.refresh()
    assert set(refresher.current.catalog.by_name) == {"local"}


def test_an_issued_a_revoked_and_a_deleted_key_are_seen(refresher):
    key, secret = ApiKey.issue("laptop")
    refresher.refresh()
    assert digest_of(secret) in refresher.current.keys
    sql("UPDATE gateway_apikey SET revoked_at = '2026-01-01 00:00:00+00:00'")
    refresher.refresh()
    assert digest_of(secret) not in refresher.current.keys
    assert refresher.current.has_keys
    sql("DELETE FROM gateway_apikey")
    refresher.refresh()
    assert not refresher.current.has_keys


def test_a_lowered_limit_of_a_key_is_seen(refresher):
    _, secret = ApiKey.issue("laptop", max_in_flight=9)
    refresher.refresh()
    sql("UPDATE gateway_apikey SET max_in_flight = 1")
    refresher.refresh()
    assert refresher.current.keys[digest_of(secret)].caller.max_in_flight == 1


def test_a_change_that_is_rolled_back_is_not_seen(refresher, listener):
    with pytest.raises(RuntimeError), transaction.atomic():
        sql("UPDATE routing_backend SET model = 'newer'")
        raise RuntimeError
    refresher.refresh()
    assert (listener.heard, local(refresher).model) == ([], "llama")


def test_an_old_snapshot_stays_what_it_was_for_requests_under_way(refresher):
    under_way = refresher.current
    sql("DELETE FROM routing_price")
    sql("DELETE FROM routing_backend")
    refresher.refresh()
    assert under_way.catalog.by_name["local"].model == "llama"
    assert refresher.current.catalog.backends == ()


# --- prices take effect by themselves -------------------------------------------------


def test_a_future_price_is_served_when_its_moment_has_passed(backend, listener):
    moment = utc_now() - timedelta(seconds=1)
    add_price(backend, moment, input=7)
    then = build(moment - timedelta(hours=1))
    assert then.catalog.by_name["local"].price.input == 1
    assert then.changes_at == moment.timestamp()
    refresher = Refresher(then, listener)
    refresher.refresh()
    assert local(refresher).price.input == 7
    assert refresher.current.changes_at is None


def test_a_price_of_tomorrow_is_not_looked_for_today(
    refresher, backend, django_assert_num_queries
):
    add_price(backend, utc_now() + timedelta(days=1), input=7)
    refresher.refresh()
    assert local(refresher).price.input == 1
    with django_assert_num_queries(1):
        refresher.refresh()


def test_a_moment_that_passed_while_the_rows_are_refused_is_tried_once(
    backend, listener, django_assert_num_queries
):
    moment = utc_now() - timedelta(seconds=1)
    add_price(backend, moment, input=7)
    refresher = Refresher(build(moment - timedelta(hours=1)), listener)
    sql("UPDATE routing_tier SET max_score = NULL")
    refresher.refresh()
    assert refresher.refused
    with django_assert_num_queries(1):
        refresher.refresh()


# --- the thread -----------------------------------------------------------------------


def test_the_thread_sees_a_change_by_itself_and_ends_when_told(refresher, listener):
    sql("UPDATE routing_backend SET model = 'newer'")
    refresher.start()
    assert listener.called.wait(20)
    refresher.stop()
    assert local(refresher).model == "newer"
    assert refresher.unreachable_since is None
