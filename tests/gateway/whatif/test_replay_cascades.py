"""What a check said of an answer, and what it cost, when it is decided again."""

from dataclasses import replace

import pytest

from gateway.whatif.replay import Replay
from routing.catalog import Catalog, Policy
from routing.learned.cascades import Cascades
from routing.learned.intents import Intents, Kind
from tests.faultllm import FaultLLM
from tests.gateway.whatif.replaying import check, decided, shown
from tests.harness import PRICES, TIERS, ask, backend, serving


@pytest.mark.parametrize("script", ["fault/say=I can't help with that.", "fault/ok"])
async def test_what_a_check_said_of_an_answer_stands(tmp_path, script):
    async with FaultLLM() as upstream:
        backends = (
            backend("small", 1, upstream.url, model=script),
            backend("medium", 2, upstream.url),
        )
        rules = Policy(cascade="all", cascade_band=0.25)
        catalog = Catalog(TIERS[:2], backends, policy=rules)
        async with serving(catalog, tmp_path) as gateway:
            await ask(gateway, "Whole")
            await ask(gateway, "Streamed", stream=True)
            records = check(gateway, catalog)

    assert all("cascade" in r["facts"] for r in records)
    unchecked = Replay(replace(catalog, policy=Policy()))
    assert {shown(unchecked.decide(decided(r)))[1] for r in records} == {"small"}


def doubting(upstream: FaultLLM, **second: object) -> Catalog:
    """The first tier's answers are doubted; one of its backends fails before that."""
    refuses = "fault/say=I can't help with that."
    cheap = replace(PRICES[1], input=PRICES[1].input // 2)
    backends = (
        backend("broken", 1, upstream.url, model="fault/status-500", price=cheap),
        backend("small", 1, upstream.url, model=refuses),
        backend("medium", 2, upstream.url, **second),
    )
    rules = Policy(cascade="all", cascade_band=0.25)
    return Catalog(TIERS[:2], backends, policy=rules)


async def test_a_doubted_answer_that_is_served_after_all_was_its_backends(tmp_path):
    async with FaultLLM() as upstream:
        catalog = doubting(upstream, model="fault/status-500")
        async with serving(catalog, tmp_path) as gateway:
            await ask(gateway, "Whole")
            [record] = check(gateway, catalog)

    assert record["backend"] == "small"
    assert record["facts"]["failed"] == ["broken"]
    assert record["facts"]["checks"] == 0


async def test_an_intents_own_cascade_is_decided_again(tmp_path):
    kinds = Intents([Kind(1, "code", "python"), Kind(2, "other", bias=0.5)])
    checked = Cascades(kinds, {"code": {"cascade": "whole"}})
    async with FaultLLM() as upstream:
        backends = (
            backend("small", 1, upstream.url, model="fault/say="),
            backend("medium", 2, upstream.url),
        )
        rules = Policy(cascade_band=0.25)
        catalog = Catalog(TIERS[:2], backends, policy=rules, cascades=checked)
        async with serving(catalog, tmp_path) as gateway:
            await ask(gateway, "A python function")
            await ask(gateway, "Good morning")
            code, other = check(gateway, catalog)

    assert (code["facts"]["intent"], code["backend"]) == ("code", "medium")
    assert (other["facts"]["intent"], other["backend"]) == ("other", "small")
    trusted = replace(catalog, cascades=Cascades(kinds, {"other": {"cascade": "all"}}))
    assert shown(Replay(trusted).decide(decided(code))) == (1, "small")


@pytest.mark.parametrize("stream", [False, True])
async def test_what_a_check_cost_is_known_apart_from_what_failed(tmp_path, stream):
    async with FaultLLM() as upstream:
        catalog = doubting(upstream)
        async with serving(catalog, tmp_path) as gateway:
            await ask(gateway, "Whole", stream=stream)
            [record] = check(gateway, catalog)
            attempts = gateway.records("attempt")

    costs = {each["backend"]: each["cost_nano"] for each in attempts}
    assert costs["small"] > 0
    assert record["facts"]["checks"] == costs["small"]
    assert record["facts"]["paid"] == costs["medium"]
