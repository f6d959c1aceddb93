"""Defect 8 of the reference: costs that were guessed, savings that were left out."""

from pathlib import Path

import pytest

from tests.faultllm import FaultLLM
from tests.harness import PRICES, ask, serving, three_tiers
from tests.reference_defects.asking import at_once


@pytest.mark.parametrize("stream", [False, True])
async def test_8_a_request_costs_what_its_own_tokens_cost(
    upstream: FaultLLM, tmp_path: Path, stream: bool
):
    text = "word " * 300
    async with serving(three_tiers(upstream.url), tmp_path) as gateway:
        await ask(gateway, text, stream=stream)
        await gateway.settled()
        (record,) = gateway.records("request")

    (bill,) = upstream.attempts
    paid = cost(1, bill.prompt_billed, bill.completion_billed)
    assert bill.prompt_billed >= 300
    assert record["cost_nano"] == paid > 0
    assert (
        record["saved_nano"]
        == cost(3, bill.prompt_billed, bill.completion_billed) - paid
    )


@pytest.mark.parametrize("again", ["HIT", "SHARED"])
async def test_8_an_answer_that_cost_nothing_saved_its_whole_price(
    upstream: FaultLLM, tmp_path: Path, again: str
):
    base = three_tiers(upstream.url)
    async with serving(base, tmp_path) as gateway:
        if again == "SHARED":
            upstream.script = ["hold"]
            await at_once(gateway, upstream, [{}, {}], 1)
        else:
            await ask(gateway)
            await ask(gateway)
        await gateway.settled()
        records = {record["cache"]: record for record in gateway.records("request")}

    (bill,) = upstream.attempts
    whole = cost(3, bill.prompt_billed, bill.completion_billed)
    assert records[again]["cost_nano"] == 0
    assert records[again]["saved_nano"] == whole
    assert records["MISS"]["cost_nano"] + records["MISS"]["saved_nano"] == whole


def cost(tier: int, prompt: int, completion: int) -> int:
    """Nano-USD of these tokens at the price of a tier."""
    price = PRICES[tier]
    return -(-(prompt * price.input + completion * price.output) // 1_000_000)
