"""Who is asked next: cheapest first, and load never makes a request dearer."""

from contextlib import ExitStack
from dataclasses import replace

from routing.candidates import Block
from routing.catalog import Backend, Catalog, PriceList
from routing.chat import Features
from routing.health import Outcome
from routing.tiers import Route
from tests.routing.pool.world import (
    GPT,
    HAIKU,
    OPUS,
    SONNET,
    TWIN,
    World,
)


def test_load_never_sends_a_request_to_a_dearer_backend_or_tier():
    """Defect 5 of the reference: one request on Haiku sent the next one to Opus."""
    world = World(HAIKU, GPT, SONNET, OPUS)
    world.report(HAIKU, Outcome.OK, latency=30.0)
    world.report(OPUS, Outcome.OK, latency=0.01)

    with ExitStack() as running:
        for _ in range(500):
            assert world.pick() == "haiku"
            running.enter_context(world.pool.lease(HAIKU))


def test_a_full_backend_spills_to_the_next_price_and_then_the_next_tier():
    haiku, gpt = replace(HAIKU, max_in_flight=2), replace(GPT, max_in_flight=1)
    world = World(haiku, gpt, SONNET)

    with ExitStack() as running:
        picked = []
        for _ in range(5):
            picked.append(world.pick())
            backend = world.catalog.by_name[picked[-1]]
            running.enter_context(world.pool.lease(backend))

        assert picked == ["haiku", "haiku", "gpt", "sonnet", "sonnet"]

    assert world.pick() == "haiku"


def test_who_was_passed_over_and_why():
    world = World(replace(HAIKU, max_in_flight=1), SONNET)

    with world.pool.lease(world.catalog.by_name["haiku"]):
        full, chosen = world.look()

    assert (full.backend.name, full.block) == ("haiku", Block.SATURATED)
    assert full.reason == "All 1 places are taken."
    assert chosen.usable
    assert chosen.reason == "Tier 2: nobody below can answer now."


def test_the_price_of_this_request_decides_and_the_unpriced_come_last():
    long_prompts = PriceList(1_000, 1_000_000, 0, 0)
    long_answers = PriceList(1_000_000, 1_000, 0, 0)
    world = World(
        Backend("unpriced", tier=1),
        Backend("reads-well", tier=1, price=long_prompts),
        Backend("writes-well", tier=1, price=long_answers),
    )
    reading = Features(prompt_tokens=10_000, max_output=5)
    writing = Features(prompt_tokens=10)

    assert world.pick(features=reading) == "reads-well"
    assert world.pick(features=writing) == "writes-well"
    assert world.pick(exclude={"reads-well", "writes-well"}) == "unpriced"


def test_equal_prices_share_by_load():
    world = World(HAIKU, TWIN)

    with ExitStack() as running:
        for _ in range(100):
            backend = world.catalog.by_name[world.pick()]
            running.enter_context(world.pool.lease(backend))
        loads = [row["in_flight"] for row in world.pool.status(world.catalog)]

    assert loads == [50, 50]


def test_weights_share_the_load():
    world = World(HAIKU, replace(TWIN, weight=3.0))

    with ExitStack() as running:
        for _ in range(100):
            backend = world.catalog.by_name[world.pick()]
            running.enter_context(world.pool.lease(backend))
        loads = [row["in_flight"] for row in world.pool.status(world.catalog)]

    assert loads == [25, 75]


def test_traffic_moves_from_a_slow_backend_and_comes_back_to_look():
    """U23 of the fault catalogue."""
    world = World(HAIKU, TWIN)
    world.report(HAIKU, Outcome.OK, latency=10.0)
    world.report(TWIN, Outcome.OK, latency=1.0)
    assert {world.pick() for _ in range(50)} == {"haiku-eu"}

    for _ in range(12):
        world.now += 10.0
        world.report(TWIN, Outcome.OK, latency=1.0)

    assert world.pick() == "haiku"


def test_a_degraded_backend_gets_a_quarter():
    world = World(HAIKU, TWIN)
    world.report(HAIKU, *[Outcome.SERVER_ERROR] * 2)

    with ExitStack() as running:
        for _ in range(100):
            backend = world.catalog.by_name[world.pick()]
            running.enter_context(world.pool.lease(backend))
        loads = [row["in_flight"] for row in world.pool.status(world.catalog)]

    assert loads == [20, 80]


def test_a_backend_that_is_down_is_skipped():
    world = World(HAIKU, SONNET)
    world.take_down(HAIKU)

    assert world.pick() == "sonnet"
    assert world.look()[0].block is Block.DOWN


def test_after_a_failure_the_next_one_is_asked_upwards_to_the_ceiling():
    world = World(HAIKU, TWIN, SONNET, OPUS)

    assert world.pick(exclude={"haiku"}) == "haiku-eu"
    assert world.pick(exclude={"haiku", "haiku-eu"}) == "sonnet"
    assert world.pick(exclude={"haiku", "haiku-eu", "sonnet"}) == "opus"
    assert world.pick(route=Route(1, 1), exclude={"haiku", "haiku-eu"}) is None


def test_a_lower_tier_answers_only_where_the_policy_allows_it():
    strict = World(HAIKU, SONNET)
    lenient = World(HAIKU, SONNET, allow_downgrade=True)

    assert strict.pick(tier=2, exclude={"sonnet"}) is None
    assert lenient.pick(tier=2, exclude={"sonnet"}) == "haiku"
    assert lenient.pick(tier=2, route=Route(2, 3), exclude={"sonnet"}) is None


def test_a_pinned_backend_is_the_only_one():
    world = World(HAIKU, TWIN, SONNET)
    route = Route(1, 1, "haiku-eu", pinned=True)

    assert {world.pick(route=route) for _ in range(20)} == {"haiku-eu"}
    assert world.pick(route=route, exclude={"haiku-eu"}) is None


def test_an_empty_catalog_has_nobody_to_ask():
    world = World()
    world.catalog = Catalog()

    assert world.look(tier=0, route=Route(0, 0)) == []


def test_a_preferred_backend_is_asked_among_equals():
    world = World(HAIKU, TWIN)

    names = {world.look(prefer="haiku-eu")[-1].backend.name for _ in range(20)}

    assert names == {"haiku-eu"}


def test_a_preferred_backend_that_is_much_busier_is_not_asked():
    world = World(HAIKU, TWIN)
    leases = [world.pool.lease(TWIN) for _ in range(2)]

    assert world.look(prefer="haiku-eu")[-1].backend.name == "haiku"
    assert len(leases) == 2


def test_a_preference_never_makes_a_request_dearer_and_may_be_down():
    world = World(HAIKU, TWIN, GPT)
    world.take_down(TWIN)

    assert world.look(prefer="gpt")[-1].backend.name == "haiku"
    assert world.look(prefer="haiku-eu")[-1].backend.name == "haiku"


def test_a_pause_is_never_told_as_nothing():
    world = World(HAIKU, SONNET)
    with world.pool.lease(HAIKU) as lease:
        lease.report(Outcome.RATE_LIMITED, retry_after=2.4)

    def told() -> str:
        return world.look()[0].reason

    assert told() == "Rate limited for 2 s."
    world.now += 2.1
    assert told() == "Rate limited for 300 ms."
    world.now += 0.2999
    assert told() == "Rate limited for 1 ms."
