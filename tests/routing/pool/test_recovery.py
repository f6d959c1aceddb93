"""Who is left alone, and who is asked again when."""

from routing.candidates import Block
from routing.health import Outcome
from tests.routing.pool.world import HAIKU, SONNET, TWIN, World


def test_a_rate_limited_backend_is_left_alone_for_its_time():
    world = World(HAIKU, SONNET)
    with world.pool.lease(HAIKU) as lease:
        lease.report(Outcome.RATE_LIMITED, retry_after=20.0)

    passed, chosen = world.look()
    assert (passed.block, passed.retry_after) == (Block.RATE_LIMITED, 20.0)
    assert chosen.backend.name == "sonnet"

    world.now += 20.0
    assert world.pick() == "haiku"


def test_a_refused_key_is_not_tried_even_as_the_last_resort():
    world = World(HAIKU)
    world.report(HAIKU, Outcome.AUTH)

    world.now += 10_000.0

    assert world.look()[0].block is Block.MISCONFIGURED


def test_when_all_are_down_one_request_each_may_try():
    """U22 of the fault catalogue: the last one is never left out for ever."""
    world = World(HAIKU, SONNET)
    for _ in range(6):
        world.take_down(HAIKU, SONNET)
        world.now += 1.0
    assert world.pick() is None

    world.now += 5.0
    assert world.pick() == "haiku"
    with world.pool.lease(HAIKU), world.pool.lease(SONNET):
        assert world.pick() is None
        assert [each.block for each in world.look()] == [Block.DOWN, Block.DOWN]


def test_a_storm_of_errors_reaches_the_provider_once_in_five_seconds():
    """U10: after the ejection the answer is a quick refusal."""
    world, sent = World(HAIKU), 0
    for _ in range(600):  # ten a second for a minute
        world.now += 0.1
        if world.pick():
            world.report(HAIKU, Outcome.SERVER_ERROR)
            sent += 1

    assert 5 < sent <= 5 + 15


def test_a_recovered_backend_serves_within_ten_seconds():
    world = World(HAIKU)
    for _ in range(100):
        world.take_down(HAIKU)
    waited = 0
    while not world.pick():
        world.now += 1.0
        waited += 1

    world.report(HAIKU, Outcome.OK, Outcome.OK)

    assert waited <= 10
    assert world.pool.status(world.catalog)[0]["status"] == "healthy"


def test_a_trial_comes_before_a_healthy_twin_once_it_is_due():
    world = World(HAIKU, TWIN)
    world.take_down(HAIKU)
    assert world.pick() == "haiku-eu"

    world.now += 9.0

    assert world.pick() == "haiku"
    assert world.look()[-1].reason == "It was down; this request tries it again."
    with world.pool.lease(HAIKU):
        assert world.pick() == "haiku-eu"
