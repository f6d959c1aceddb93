"""Probes, and what the operator is told."""

from dataclasses import replace

from routing.health import Outcome, State
from routing.secret import Secret
from tests.routing.pool.world import HAIKU, OPUS, SONNET, World, due


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


def test_no_probe_brings_back_a_backend_whose_model_is_missing():
    world = World(HAIKU)
    world.report(HAIKU, Outcome.MODEL_MISSING)
    world.pool.report_probe(HAIKU, Outcome.OK)  # it was under way
    world.now += 8.0

    assert due(world) == []
    (row,) = world.pool.status(world.catalog)
    assert row["status"] == "down"
    assert world.pick() == "haiku"  # by a request then


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
