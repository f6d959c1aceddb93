"""What a backend can't do goes elsewhere."""

from dataclasses import replace

import pytest

from routing.candidates import Block
from routing.chat import Features
from routing.health import Outcome
from tests.routing.pool.world import (
    GPT,
    HAIKU,
    OPUS,
    SONNET,
    TWIN,
    World,
)


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


def test_who_is_out_is_told_whether_or_not_a_request_would_have_gone_there():
    world = World(HAIKU, TWIN, replace(GPT, max_in_flight=1), SONNET, OPUS)
    world.take_down(SONNET)
    world.report(OPUS, Outcome.AUTH)
    world.report(TWIN, Outcome.RATE_LIMITED)

    with world.pool.lease(world.catalog.by_name["gpt"]):
        out = world.pool.out(world.catalog)
    world.now += 3600

    assert out == ["haiku-eu", "gpt", "sonnet", "opus"]
    assert world.pool.out(world.catalog) == ["opus"]  # the others may be tried again
