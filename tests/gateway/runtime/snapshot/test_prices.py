"""Prices in the configuration, and the moments they change at."""

from datetime import timedelta

import pytest

from gateway.runtime.checks import InvalidConfiguration
from gateway.runtime.snapshot import build
from routing.catalog import PriceList
from routing.models import (
    Backend,
)
from tests.gateway.runtime.snapshot.rows import NOW, add_backend, add_price, read

pytestmark = pytest.mark.django_db(transaction=True)
STEP = {"above": 200, "input": 5, "output": 6, "cache_read": 7, "cache_write": 8}


def test_the_prices_of_longer_prompts_are_read():
    add_price(Backend.objects.get(), NOW, longer=[STEP])

    price = read().catalog.by_name["local"].price
    assert price.longer == ((200, PriceList(5, 6, 7, 8)),)


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
