"""Mistakes in the rows are not served, and a database that fails is asked again."""

import threading

import pytest
from django.db import OperationalError, connection

from gateway.runtime.refresher import Refresher
from gateway.runtime.snapshot import build, utc_now
from tests.gateway.runtime.refreshing import local, sql

pytestmark = pytest.mark.django_db(transaction=True)


FAULTS = [
    ("UPDATE routing_tier SET max_score = NULL", "Tier 1 has no highest score"),
    ("UPDATE routing_backend SET provider = 'acme'", "'acme' is not a valid choice"),
    ("UPDATE routing_backend SET weight = 0", "weight"),
    ("UPDATE routing_backend SET state = 'paused'", "'paused' is not a valid choice"),
    (
        "UPDATE routing_routingpolicy SET client_model = 'guess'",
        "'guess' is not a valid choice",
    ),
]


@pytest.mark.parametrize(("fault", "sentence"), FAULTS)
def test_the_last_good_configuration_serves_until_a_fault_is_mended(
    refresher, listener, fault, sentence
):
    good = refresher.current
    sql(fault)
    sql("UPDATE routing_price SET input = 99")
    refresher.refresh()
    assert sentence in refresher.refused
    assert refresher.current is good
    assert listener.heard == []

    sql("UPDATE routing_tier SET max_score = 40 WHERE rank = 1")
    sql("UPDATE routing_backend SET provider = 'ollama', weight = 1, state = 'enabled'")
    sql("UPDATE routing_routingpolicy SET client_model = 'ceiling'")
    refresher.refresh()
    assert refresher.refused == ""
    assert local(refresher).price.input == 99
    assert listener.heard == [refresher.current]


def test_a_refused_configuration_is_not_read_again_until_it_changes(
    refresher, django_assert_num_queries
):
    sql("UPDATE routing_tier SET max_score = NULL")
    refresher.refresh()
    with django_assert_num_queries(1):
        refresher.refresh()
    assert refresher.refused


class Broken:
    """Fails at the statement with this number, as a lost connection would."""

    def __init__(self, fails_at):
        self.fails_at = fails_at
        self.seen = 0

    def __call__(self, execute, statement, params, many, context):
        self.seen += 1
        if self.seen == self.fails_at:
            raise OperationalError("the connection was lost")
        return execute(statement, params, many, context)


def test_a_look_that_the_database_broke_off_is_repeated(refresher):
    looks = 0
    while True:
        looks += 1
        sql("UPDATE routing_backend SET model = %s", f"model-{looks}")
        broken = Broken(fails_at=looks)
        try:
            with connection.execute_wrapper(broken):
                refresher.refresh()
        except OperationalError:
            refresher.refresh()
        assert local(refresher).model == f"model-{looks}"
        if broken.seen < looks:
            break
    assert looks > 7


class FailsAtFirst:
    """What hears of a change fails, as a bug or a lost database would."""

    def __init__(self, error):
        self.error = error
        self.failed, self.called = threading.Event(), threading.Event()

    def __call__(self, snapshot):
        if not self.failed.is_set():
            self.failed.set()
            raise self.error
        self.called.set()


@pytest.mark.parametrize("error", [OperationalError("gone"), RuntimeError("a bug")])
def test_the_thread_outlives_whatever_goes_wrong_in_a_round(backend, error):
    listener = FailsAtFirst(error)
    refresher = Refresher(build(utc_now()), listener)
    sql("UPDATE routing_backend SET model = 'newer'")
    refresher.start()
    assert listener.failed.wait(20)
    sql("UPDATE routing_backend SET model = 'newest'")
    assert listener.called.wait(20)
    refresher.stop()
    assert local(refresher).model == "newest"
