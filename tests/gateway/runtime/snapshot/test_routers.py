"""Trained routers in the configuration."""

import pytest

from routing.models import (
    Backend,
    RouterModel,
    RoutingPolicy,
)
from tests.gateway.runtime.snapshot.rows import NOW, add_backend, add_price, read
from tests.routing.learned.samples import small_router

pytestmark = pytest.mark.django_db(transaction=True)


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
