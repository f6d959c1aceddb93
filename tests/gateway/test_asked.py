"""What requests say about earlier answers without anybody's vote."""

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.asked import ESCALATED, REPEATED, SOON_SECONDS
from routing.learned.brain import Brain
from tests.faultllm import FaultLLM
from tests.harness import Clock, ask, serving, three_tiers


def learning(upstream: FaultLLM, model: str = "small"):
    catalog = three_tiers(upstream.url, cache_enabled=False, sharing_enabled=False)
    small, *others = catalog.backends
    small = replace(small, model=model)
    return replace(catalog, backends=(small, *others), brain=Brain(learning=True))


def doubts(gateway) -> list:
    return [record["doubted"] for record in gateway.records("request")]


async def test_who_asks_the_same_again_was_not_content(
    upstream: FaultLLM, tmp_path: Path
):
    async with serving(learning(upstream), tmp_path) as gateway:
        first = await ask(gateway, "Hello")
        await ask(gateway, "Something else")
        await ask(gateway, "Hello")
        await ask(gateway, "Hello")  # a program that repeats itself

        doubted = [first.headers["x-request-id"], REPEATED]
        assert doubts(gateway) == [None, None, doubted, None]


async def test_who_asks_a_higher_tier_right_after_says_so_too(
    upstream: FaultLLM, tmp_path: Path
):
    async with serving(learning(upstream), tmp_path) as gateway:
        first = await ask(gateway, "Hello")
        await ask(gateway, "Hello", model="tier-3")
        doubted = [first.headers["x-request-id"], ESCALATED]
        assert doubts(gateway) == [None, doubted]


async def test_the_same_tier_again_or_later_or_from_a_router_at_rest_is_no_doubt(
    upstream: FaultLLM, tmp_path: Path
):
    clock = Clock()
    async with serving(learning(upstream), tmp_path, clock=clock) as gateway:
        await ask(gateway, "Hello")
        await ask(gateway, "Hello", model="tier-1")
        await ask(gateway, "Goodbye")
        clock.now += SOON_SECONDS + 1
        await ask(gateway, "Goodbye")
        gateway.serve_catalog(replace(learning(upstream), brain=None))
        await ask(gateway, "Goodbye")
        assert doubts(gateway) == [None] * 5


@pytest.mark.parametrize(
    ("model", "body", "doubt"),
    [
        ("small", {}, ""),
        ("fault/length", {}, "It was cut off at its length limit."),
        ("fault/refusal", {}, "It refuses."),
        (
            "fault/say=no JSON",
            {"response_format": {"type": "json_object"}},
            "It is not the JSON that was asked for.",
        ),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_an_answers_form_is_kept_with_its_lesson(
    upstream: FaultLLM, tmp_path: Path, model, body, doubt, stream
):
    async with serving(learning(upstream, model), tmp_path) as gateway:
        await ask(gateway, "Hello", stream=stream, **body)
        [record] = gateway.records("request")

    assert record["lesson"]["doubt"] == doubt
