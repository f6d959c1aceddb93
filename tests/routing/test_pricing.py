"""Costs in integers: exact sums, one rounding, never negative."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.catalog import Backend, Catalog, Policy, PriceList, Tier
from routing.chat import Usage
from routing.pricing import (
    baseline_nano,
    cost_nano,
    nano_to_usd,
    usd_per_1k_to_nano,
)

# $3 and $15 per million tokens; cache reads a tenth, cache writes five quarters.
SONNET = PriceList(3 * 10**9, 15 * 10**9, 3 * 10**8, 375 * 10**7)
TOKENS = st.integers(min_value=0, max_value=10**7)
PRICES = st.integers(min_value=0, max_value=10**12)


def test_a_plain_answer():
    assert cost_nano(Usage(prompt=1000, completion=500), SONNET) == 10_500_000


def test_cached_and_written_prompt_tokens_have_prices_of_their_own():
    usage = Usage(prompt=1000, completion=0, cached=600, cache_write=300)

    assert cost_nano(usage, SONNET) == 100 * 3000 + 600 * 300 + 300 * 3750


LONG = PriceList(6 * 10**9, 225 * 10**8, 6 * 10**8, 75 * 10**8)
STEPPED = replace(SONNET, longer=((200_000, LONG),))


@pytest.mark.parametrize(
    ("prompt", "price"), [(200_000, SONNET), (200_001, LONG), (10**6, LONG)]
)
def test_above_a_border_all_tokens_cost_what_longer_prompts_do(prompt, price):
    usage = Usage(prompt, completion=10, cached=150_000, cache_write=20)

    assert cost_nano(usage, STEPPED) == cost_nano(usage, price)


def test_the_highest_border_that_is_passed_counts():
    longest = PriceList(1, 1, 1, 1)
    price = replace(STEPPED, longer=(*STEPPED.longer, (500_000, longest)))

    found = [price.of(tokens) for tokens in (0, 200_001, 500_000, 500_001)]
    assert found == [price, LONG, LONG, longest]


def test_backends_that_differ_in_long_prompts_only_are_no_equals():
    one, other = (
        Backend(name, tier=1, price=price)
        for name, price in (("a", SONNET), ("b", STEPPED))
    )
    both = Catalog((Tier(1, "t"),), (one, other))

    assert both.price_classes[1] == ((one,), (other,))
    assert baseline_nano(Usage(prompt=300_000), both) == 900_000_000


def test_what_is_written_for_an_hour_costs_twice_the_input():
    usage = Usage(prompt=1000, completion=0, cache_write=300, cache_write_1h=200)

    assert cost_nano(usage, SONNET) == 700 * 3000 + 100 * 3750 + 200 * 6000
    more_than_was_written = replace(usage, cache_write_1h=999)
    assert cost_nano(more_than_was_written, SONNET) == 700 * 3000 + 300 * 6000


def test_reasoning_is_a_part_of_the_completion():
    plain = Usage(prompt=1, completion=100)
    thinking = Usage(prompt=1, completion=100, reasoning=90)

    assert cost_nano(thinking, SONNET) == cost_nano(plain, SONNET)


def test_the_sum_is_rounded_up_once():
    price = PriceList(input=1, output=1, cache_read=1, cache_write=1)

    assert cost_nano(Usage(prompt=3, completion=2, cached=1), price) == 1
    assert cost_nano(Usage(prompt=10**6, completion=1), price) == 2
    assert cost_nano(Usage(), price) == 0


@given(TOKENS, TOKENS, TOKENS, TOKENS, PRICES, PRICES, PRICES, PRICES)
@settings(max_examples=100)
def test_a_cost_is_the_exact_sum_rounded_up(
    uncached, cached, written, completion, per_in, per_out, per_read, per_write
):
    usage = Usage(uncached + cached + written, completion, cached, written)
    price = PriceList(per_in, per_out, per_read, per_write)
    exact = Fraction(
        uncached * per_in
        + cached * per_read
        + written * per_write
        + completion * per_out,
        10**6,
    )

    assert 0 <= cost_nano(usage, price) - exact < 1


@given(*[st.integers(min_value=-1000, max_value=1000)] * 4)
@settings(max_examples=60)
def test_nonsense_from_a_provider_never_gives_a_credit(prompt, completion, read, write):
    assert cost_nano(Usage(prompt, completion, read, write), SONNET) >= 0


def catalog(*backends, baseline=None):
    tiers = (Tier(1, "small", 30), Tier(3, "large"))
    return Catalog(tiers, backends, policy=Policy(baseline_tier=baseline))


def test_the_baseline_is_the_cheapest_serving_priced_backend_of_its_tier():
    usage = Usage(prompt=1000, completion=500)
    dear = PriceList(15 * 10**9, 75 * 10**9, 0, 0)
    free = PriceList(0, 0, 0, 0)
    backends = (
        Backend("haiku", tier=1, price=free),
        Backend("opus", tier=3, price=dear),
        Backend("sonnet", tier=3, price=SONNET),
        Backend("unpriced", tier=3),
        Backend("off", tier=3, price=free, state="disabled"),
        Backend("keyless", tier=3, price=free, misconfigured="No key."),
    )

    assert baseline_nano(usage, catalog(*backends)) == 10_500_000
    assert baseline_nano(usage, catalog(*backends, baseline=1)) == 0


def test_without_a_price_there_is_no_baseline():
    unpriced = Backend("a", tier=3)

    assert baseline_nano(Usage(prompt=1), catalog(unpriced)) is None
    assert baseline_nano(Usage(prompt=1), Catalog()) is None


def test_a_providers_cache_discount_is_not_a_saving_of_ours():
    usage = Usage(prompt=1000, completion=10, cached=900)
    serving = Backend("sonnet", tier=3, price=SONNET)

    assert baseline_nano(usage, catalog(serving)) == cost_nano(usage, SONNET)


@pytest.mark.parametrize(
    ("usd", "nano"),
    [
        ("0.0008", 800_000_000),
        ("0.075", 75_000_000_000),
        ("0", 0),
        ("1E-12", 1),
        ("12345678901234567890.000000000001", 12345678901234567890000000000001),
    ],
)
def test_a_price_per_thousand_tokens_is_converted_exactly(usd, nano):
    assert usd_per_1k_to_nano(Decimal(usd)) == nano


@pytest.mark.parametrize("usd", ["1E-13", "0.0000000000005", "-1", "NaN", "Infinity"])
def test_a_price_that_can_not_be_kept_exactly_is_refused(usd):
    with pytest.raises(ValueError, match=r"decimals|dollars"):
        usd_per_1k_to_nano(Decimal(usd))


def test_dollars_for_people():
    assert nano_to_usd(10_500_000) == 0.0105
