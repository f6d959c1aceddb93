"""Who is asked next: cheapest first, and load never makes a request dearer."""

from contextlib import ExitStack
from dataclasses import replace
from random import Random

import pytest

from routing.candidates import Block
from routing.catalog import Backend, Catalog, Policy, PriceList, Secret, Tier
from routing.chat import Features
from routing.health import Outcome, State
from routing.pool import BackendPool
from routing.tiers import Choice, Route

CHEAP = PriceList(800_000_000, 4_000_000_000, 0, 0)
DEAR = PriceList(3_000_000_000, 15_000_000_000, 0, 0)
TIERS = (Tier(1, "small", 30), Tier(2, "medium", 70), Tier(3, "large"))
HAIKU = Backend("haiku", tier=1, price=CHEAP)
TWIN = Backend("haiku-eu", tier=1, price=CHEAP)
GPT = Backend("gpt", tier=1, price=DEAR)
SONNET = Backend("sonnet", tier=2, price=DEAR)
OPUS = Backend("opus", tier=3, price=DEAR)


class World:
    """A pool with its catalog, and a clock that stands still."""

    def __init__(self, *backends, seed=1, listener=None, **policy):
        self.now = 1000.0
        self.pool = BackendPool(lambda: self.now, Random(seed), listener)
        self.configure(*backends, **policy)

    def configure(self, *backends, **policy):
        self.catalog = Catalog(TIERS, backends, policy=Policy(**policy))
        self.pool.sync(self.catalog)

    def look(self, tier=1, route=None, features=None, exclude=(), prefer=""):
        return self.pool.candidates(
            self.catalog,
            Choice(tier, ()),
            route or Route(1, 3),
            features or Features(prompt_tokens=100),
            exclude,
            prefer,
        )

    def pick(self, *args, **kwargs):
        """The name of the backend to ask, None when there is none."""
        found = self.look(*args, **kwargs)
        return found[-1].backend.name if found and found[-1].usable else None

    def report(self, backend, *outcomes, latency=None):
        for outcome in outcomes:
            with self.pool.lease(backend) as lease:
                lease.report(outcome, latency)

    def take_down(self, *backends):
        for backend in backends:
            self.report(backend, *[Outcome.CONNECT_ERROR] * 2)


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


@pytest.mark.parametrize(
    ("changes", "features", "block"),
    [
        ({"state": "disabled"}, Features(), Block.SWITCHED_OFF),
        ({"state": "draining"}, Features(), Block.SWITCHED_OFF),
        (
            {"misconfigured": "The variable KEY is empty."},
            Features(),
            Block.MISCONFIGURED,
        ),
        (
            {"provider": "anthropic"},
            Features(needs=frozenset({"n", "tools"})),
            Block.INCAPABLE,
        ),
        (
            {"context_window": 1000},
            Features(prompt_tokens=900, max_output=101),
            Block.TOO_LONG,
        ),
    ],
)
def test_what_a_backend_can_not_do_goes_elsewhere(changes, features, block):
    world = World(replace(HAIKU, **changes), SONNET)

    passed, chosen = world.look(features=features)

    assert passed.block is block
    assert chosen.backend.name == "sonnet"


def test_a_request_that_just_fits_is_not_sent_elsewhere():
    world = World(replace(HAIKU, context_window=1000), SONNET)

    assert world.pick(features=Features(prompt_tokens=900, max_output=100)) == "haiku"


def test_a_request_that_is_too_long_never_goes_to_one_that_is_too_small_as_well():
    small = {"context_window": 1000}
    world = World(replace(HAIKU, **small), replace(SONNET, **small))

    found = world.look(features=Features(prompt_tokens=5000))

    assert [each.block for each in found] == [Block.TOO_LONG, Block.TOO_LONG]


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


def due(world):
    return [backend.name for backend in world.pool.due_probes(world.now)]


def test_probes_look_after_those_who_are_unknown_and_let_others_be():
    world = World(HAIKU, SONNET, replace(OPUS, state="disabled"))
    assert due(world) == ["haiku", "sonnet"]
    assert due(world) == []  # they have just been asked

    world.pool.report_probe(HAIKU, Outcome.OK)
    world.now += 3.0
    assert due(world) == ["sonnet"]

    world.pool.report_probe(SONNET, Outcome.OK)
    world.now += 60.0
    world.report(HAIKU, Outcome.OK)
    world.now += 60.0
    assert due(world) == ["sonnet"]  # idle for two minutes


def test_probes_alone_bring_a_backend_back_and_need_no_request():
    world = World(HAIKU)
    world.take_down(HAIKU)
    assert due(world) == []

    world.now += 6.0
    assert due(world) == ["haiku"]
    world.pool.report_probe(HAIKU, Outcome.OK)
    world.now += 2.0
    assert due(world) == ["haiku"]
    world.pool.report_probe(HAIKU, Outcome.OK)

    (row,) = world.pool.status(world.catalog)
    assert row["status"] == "healthy"
    assert row["latency_ms"] is None  # a probe says nothing about answers
    assert row["total_requests"] == 2


def test_a_failed_probe_keeps_requests_away():
    world = World(HAIKU, SONNET)
    world.take_down(HAIKU)
    world.now += 6.0
    assert "haiku" in due(world)

    world.pool.report_probe(HAIKU, Outcome.CONNECT_ERROR)
    world.now += 6.0

    assert world.pick() == "sonnet"


def test_a_probe_of_an_old_configuration_says_nothing_of_the_new_one():
    world = World(HAIKU)
    world.configure(replace(HAIKU, api_key=Secret("new")))

    world.pool.report_probe(HAIKU, Outcome.AUTH)

    assert world.pick() == "haiku"


def test_a_misconfigured_backend_is_probed_seldom():
    world = World(HAIKU)
    world.report(HAIKU, Outcome.AUTH)
    assert due(world) == ["haiku"]

    world.now += 29.0
    assert due(world) == []

    world.now += 1.0
    assert due(world) == ["haiku"]


def test_changes_of_state_are_told_by_name_and_kept():
    told = []
    world = World(HAIKU, listener=lambda name, event: told.append((name, event.new)))
    world.report(HAIKU, Outcome.OK)
    world.take_down(HAIKU)

    assert told == [("haiku", State.HEALTHY), ("haiku", State.DOWN)]
    assert [event.new for event in world.pool.history("haiku")] == [
        State.HEALTHY,
        State.DOWN,
    ]
    assert world.pool.history("nobody") == []


def test_the_status_has_the_references_fields_and_more():
    world = World(
        replace(HAIKU, model="claude-haiku-4-5"), replace(OPUS, state="draining")
    )
    haiku = world.catalog.by_name["haiku"]
    world.report(haiku, Outcome.OK, latency=0.12)
    world.now += 2.0

    with world.pool.lease(haiku):
        first, second = world.pool.status(world.catalog)

    assert first == {
        "name": "haiku",
        "status": "healthy",
        "in_flight": 1,
        "latency_ms": 120.0,
        "total_requests": 2,
        "errors": 0,
        "tier": 1,
        "provider": "openai-compatible",
        "model": "claude-haiku-4-5",
        "state": "healthy",
        "reason": "It answers.",
        "since_seconds": 2.0,
        "rate_limited_seconds": 0.0,
        "next_trial_seconds": 0.0,
    }
    assert second["status"] == "draining"


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
