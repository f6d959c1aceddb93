"""The tables of genai-prices as prices of ours. Expected numbers are the package's own,
computed by its own arithmetic."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from genai_prices import Usage as TheirUsage
from genai_prices.data import providers
from genai_prices.types import (
    ClauseEquals,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    StartDateConstraint,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
)

from routing.catalog import PriceList
from routing.chat import Usage
from routing.known_prices import announced, dearest, known_prices, price_list
from routing.pricing import cost_nano
from routing.providers import PROVIDERS

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
DOLLAR = 10**9


def known(provider, model, base_url=""):
    return known_prices(provider, base_url, model, NOW)


def test_a_well_known_model_has_its_four_prices_and_their_source():
    (price,) = known("anthropic", "claude-haiku-4-5-20251001")

    assert price.price == PriceList(
        1 * DOLLAR, 5 * DOLLAR, DOLLAR // 10, DOLLAR * 5 // 4
    )
    assert price.begins is None
    assert price.source.startswith("genai-prices ")
    assert price.source.endswith(": anthropic/claude-haiku-4-5")


@pytest.mark.parametrize(
    ("provider", "base_url", "model"),
    [
        ("openai", "", "no-such-model"),
        ("openai", "http://127.0.0.1:9", "gpt-5"),
        ("openai-compatible", "https://example.com/v1", "gpt-5"),
        ("ollama", "", "llama3"),
        ("openai", "", ""),
    ],
)
def test_who_is_not_in_the_tables_has_no_price(provider, base_url, model):
    assert known(provider, model, base_url) == ()


@pytest.mark.parametrize(
    ("provider", "base_url", "model", "table"),
    [
        ("openai-compatible", "https://api.groq.com/openai/v1", "gpt-oss-20b", "groq"),
        ("azure-openai", "https://me.openai.azure.com", "gpt-4o", "azure"),
        ("openai", "https://api.openai.com", "gpt-5", "openai"),
        ("gemini", "", "gemini-2.5-flash", "google"),
    ],
)
def test_an_address_tells_whose_prices_hold(provider, base_url, model, table):
    if table == "groq":
        model = "llama-3.3-70b-versatile"
    (price, *_) = known(provider, model, base_url)

    assert f": {table}/" in price.source


def test_every_preset_names_a_table_that_exists():
    named = {preset.prices for preset in PROVIDERS.values() if preset.prices}

    assert named <= {table.id for table in providers}
    assert len(named) > 10


def test_an_embedding_has_no_answer_to_pay():
    (price,) = known("openai", "text-embedding-3-small")

    assert (price.price.input, price.price.output) == (DOLLAR // 50, 0)


def flat(price_in, price_out, **more):
    prices = {"input_mtok": price_in, "output_mtok": price_out, **more}
    return ModelPrice(**{k: Decimal(v) for k, v in prices.items() if v is not None})


def test_a_model_without_a_price_for_answers_is_unknown_unless_it_embeds():
    assert price_list(flat("1", None), "chatty") is None
    assert price_list(flat("1", None), "my-embedder") == PriceList(
        DOLLAR, 0, *[DOLLAR] * 2
    )
    assert price_list(None, "chatty") is None
    assert price_list(ModelPrice(audio_hours=Decimal(1)), "whisper") is None


def test_caching_costs_the_input_price_where_nothing_is_said():
    assert price_list(flat("1", "2"), "m") == PriceList(
        DOLLAR, 2 * DOLLAR, DOLLAR, DOLLAR
    )


def test_fractions_of_a_nano_dollar_are_rounded_up():
    price = price_list(flat("0.0000000001", "0"), "m")

    assert price == PriceList(1, 0, 1, 1)


def test_each_border_of_long_prompts_is_a_step():
    price = price_list(
        ModelPrice(
            input_mtok=TieredPrices(Decimal(1), [Tier(100, Decimal(2))]),
            output_mtok=TieredPrices(Decimal(5), [Tier(200, Decimal(9))]),
        ),
        "m",
    )

    assert price.longer == (
        (100, PriceList(2 * DOLLAR, 5 * DOLLAR, 2 * DOLLAR, 2 * DOLLAR)),
        (200, PriceList(2 * DOLLAR, 9 * DOLLAR, 2 * DOLLAR, 2 * DOLLAR)),
    )


def priced(constraint, prices):
    return ConditionalPrice(constraint=constraint, prices=prices)


def model(*prices):
    return ModelInfo("m", ClauseEquals("m"), prices=list(prices))


CHEAP, DEAR, OTHER = flat("1", "2"), flat("5", "9"), flat("3", "3")
NIGHT = TimeOfDateConstraint(time(0, tzinfo=UTC), time(6, tzinfo=UTC))


def test_of_prices_by_the_hour_the_dearest_counts_at_any_hour():
    by_hour = model(priced(None, DEAR), priced(NIGHT, CHEAP))

    assert dearest(by_hour, NOW) == DEAR
    assert dearest(by_hour, NOW.replace(hour=3)) == DEAR


def test_hours_that_a_later_price_replaced_are_over():
    later = StartDateConstraint(date(2026, 1, 1))
    replaced = model(
        priced(None, OTHER),
        priced(NIGHT, DEAR),
        priced(later, CHEAP),
    )

    assert dearest(replaced, NOW) == CHEAP


def test_announced_prices_are_those_that_begin_later():
    past, soon = (StartDateConstraint(date(2026, month, 1)) for month in (1, 12))
    changing = model(
        priced(None, OTHER),
        priced(past, CHEAP),
        priced(soon, DEAR),
    )
    (day,) = announced(changing, NOW)

    assert day == datetime(2026, 12, 1, tzinfo=UTC)
    assert [dearest(changing, moment) for moment in (NOW, day)] == [CHEAP, DEAR]


def test_an_announced_price_of_the_tables_has_its_date():
    before = datetime(2026, 3, 1, tzinfo=UTC)
    now, later = known_prices("anthropic", "", "claude-sonnet-4-6", before)

    assert now.begins is None
    assert [above for above, _ in now.price.longer] == [200_000]
    assert later.begins == datetime(2026, 3, 13, tzinfo=UTC)
    assert later.price.longer == ()


TABLES = {preset.prices: name for name, preset in PROVIDERS.items() if preset.prices}


@pytest.mark.parametrize("prompt", [1000, 150_000, 300_000])
def test_costs_are_what_the_package_itself_reckons(prompt):
    """Every model that can be priced by the token, at three lengths of prompt."""
    compared = 0
    for table in providers:
        if table.id not in TABLES:
            continue
        for found in table.models:
            if isinstance(found.prices, list):
                continue
            price = price_list(found.prices, found.id)
            if price is None or "input_mtok" not in vars(found.prices):
                continue
            ours = cost_nano(Usage(prompt=prompt, completion=777), price)
            theirs = found.calc_price(
                TheirUsage(input_tokens=prompt, output_tokens=777), table
            )
            expected = (theirs.input_price + theirs.output_price) * DOLLAR
            assert abs(ours - expected) <= 2, (table.id, found.id)
            compared += 1

    assert compared > 800
