"""What tokens cost, in integer nano-USD. A price is nano-USD per million tokens."""

from decimal import Decimal

from routing.catalog import Catalog, PriceList
from routing.chat import Usage

TOKENS_PER_PRICE = 1_000_000
NANO_PER_USD = 1_000_000_000


def cost_nano(usage: Usage, price: PriceList) -> int:
    """The price of one answer, rounded up once and never negative.

    A long prompt may have a price of its own (`PriceList.longer`).

    Reasoning is a part of the completion and costs the same. A provider that reports
    more cached tokens than prompt tokens is charged as it reported, with no credit.
    """
    price = price.of(usage.prompt)
    cached, written = max(0, usage.cached), max(0, usage.cache_write)
    for_an_hour = min(max(0, usage.cache_write_1h), written)
    uncached = max(0, usage.prompt - cached - written)
    total = (
        uncached * price.input
        + cached * price.cache_read
        + (written - for_an_hour) * price.cache_write
        + for_an_hour * price.cache_write_1h
        + max(0, usage.completion) * price.output
    )
    return -(-total // TOKENS_PER_PRICE)


def baseline_nano(usage: Usage, catalog: Catalog) -> int | None:
    """What the cheapest serving backend of the baseline tier would have charged.

    Tokens a provider read from or wrote to its cache count at the baseline's own cache
    prices: that discount is the provider's doing, and counting it as saved by routing
    would be a boast. None when no backend of that tier serves and has a price.
    """
    costs = [cost_nano(usage, price) for price in catalog.baseline_prices]
    return min(costs, default=None)


def usd_per_1k_to_nano(usd: Decimal) -> int:
    """The price per million tokens of a "$ per 1k tokens" figure, exact or refused."""
    if not usd.is_finite() or usd < 0:
        raise ValueError(f"A price is a number of dollars from 0 up, not {usd}.")
    numerator, denominator = usd.as_integer_ratio()
    nano, rest = divmod(numerator * NANO_PER_USD * 1000, denominator)
    if rest:
        raise ValueError(
            f"{usd} has too many decimals: prices are kept to 0.000000000001 dollars "
            "per 1k tokens."
        )
    return nano


def nano_to_usd(nano: float) -> float:
    """Dollars to show to people; never calculate with them."""
    return nano / NANO_PER_USD
