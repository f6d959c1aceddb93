"""A new configuration keeps what is known of the same backend."""

from dataclasses import replace

import pytest

from routing.health import Outcome
from routing.secret import Secret
from tests.routing.pool.world import DEAR, HAIKU, SONNET, World


def test_a_new_configuration_keeps_what_is_known_of_the_same_backend():
    world = World(HAIKU, SONNET)
    world.take_down(HAIKU)

    world.configure(replace(HAIKU, weight=2.0, price=DEAR), SONNET)

    assert world.pool.status(world.catalog)[0]["state"] == "down"


@pytest.mark.parametrize(
    "change",
    [
        {"base_url": "http://other"},
        {"model": "new"},
        {"api_key": Secret("new")},
        {"provider": "openai"},
    ],
)
def test_another_address_model_or_key_starts_anew(change):
    world = World(HAIKU)
    world.report(HAIKU, Outcome.AUTH)
    assert world.pick() is None

    with world.pool.lease(HAIKU):
        world.configure(replace(HAIKU, **change))

        assert world.pick() == "haiku"
        assert world.pool.status(world.catalog)[0]["in_flight"] == 1


def test_a_removed_backend_is_forgotten_once_it_is_idle():
    world = World(HAIKU, SONNET)
    with world.pool.lease(HAIKU):
        world.configure(SONNET)
        world.configure(HAIKU, SONNET)
        assert world.pool.status(world.catalog)[0]["in_flight"] == 1

    world.configure(SONNET)
    world.configure(HAIKU, SONNET)

    assert world.pool.status(world.catalog)[0]["total_requests"] == 0


def test_an_old_request_may_still_use_a_backend_that_is_gone():
    world = World(HAIKU, SONNET)
    old = world.catalog
    world.configure(SONNET)
    world.catalog = old

    assert world.pick() == "haiku"
