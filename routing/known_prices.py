"""What models cost by the tables of genai-prices: data that is installed, no network.

The tables are read where prices are seeded or refreshed, never on the request path:
they take tens of megabytes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from decimal import ROUND_CEILING, Decimal
from importlib.metadata import version
from typing import TYPE_CHECKING

from routing.capabilities import ONLY_EMBEDS
from routing.catalog import PriceList
from routing.pricing import NANO_PER_USD
from routing.providers import PROVIDERS

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice
    from genai_prices.types import Provider as Table

SOURCE = "genai-prices"
SOURCE_CHARS = 200
SIDES = ("input", "output", "cache_read", "cache_write")


@dataclass(frozen=True, slots=True)
class KnownPrice:
    """A price and the moment it begins, None when it holds already."""

    price: PriceList
    begins: datetime | None
    source: str


def known_prices(
    provider: str, base_url: str, model: str, now: datetime
) -> tuple[KnownPrice, ...]:
    """What this model costs now and what is announced, earliest first; none when the
    address or the model is unknown.

    Where the price depends on the hour of the day it is the dearest.
    """
    from genai_prices.data import providers

    table = table_of(provider, base_url, providers)
    if table is None:
        return ()
    found = table.find_model(model, all_providers=providers)
    if found is None:
        return ()
    source = f"{SOURCE} {version(SOURCE)}: {table.id}/{found.id}"[:SOURCE_CHARS]
    prices: list[KnownPrice] = []
    for moment in (now, *announced(found, now)):
        price = price_list(dearest(found, moment), model)
        if price is None:
            return ()
        if not prices or prices[-1].price.amounts != price.amounts:
            prices.append(KnownPrice(price, moment if prices else None, source))
    return tuple(prices)


def table_of(provider: str, base_url: str, tables: "list[Table]") -> "Table | None":
    """Whose prices hold at an address: the preset's own, else of whoever is there. An
    address nobody is known at has no known price, whatever protocol it speaks."""
    preset = PROVIDERS[provider]
    if preset.prices and not base_url:
        return next(table for table in tables if table.id == preset.prices)
    address = base_url or preset.base_url
    there = [table for table in tables if re.match(table.api_pattern, address)]
    named = [table for table in there if table.id == preset.prices]
    return next(iter(named + there), None)


def announced(model: "ModelInfo", now: datetime) -> list[datetime]:
    """When another price begins, in the future."""
    from genai_prices.types import StartDateConstraint

    if not isinstance(model.prices, list):
        return []
    constraints = (each.constraint for each in model.prices)
    days = {
        datetime.combine(each.start_date, time.min, UTC)
        for each in constraints
        if isinstance(each, StartDateConstraint)
    }
    return sorted(day for day in days if day > now)


def dearest(model: "ModelInfo", moment: datetime) -> "ModelPrice | None":
    """The price of the day, or of its dearest hours where those differ."""
    from genai_prices.types import ModelPrice, TimeOfDateConstraint

    if isinstance(model.prices, ModelPrice):
        return model.prices
    found: list[ModelPrice] = []
    # A later entry goes before an earlier one; of hours any may be the present one.
    for entry in reversed(model.prices):
        if isinstance(entry.constraint, TimeOfDateConstraint):
            found.append(entry.prices)
        elif entry.constraint is None or entry.constraint.active(moment):
            found.append(entry.prices)
            break
    return max(found, key=flat_sum, default=None)


def flat_sum(price: "ModelPrice") -> Decimal:
    found = (at(vars(price).get(f"{side}_mtok"), 0) for side in ("input", "output"))
    return sum((side for side in found if side is not None), Decimal(0))


def price_list(price: "ModelPrice | None", model: str) -> PriceList | None:
    """In nano-USD, with a step for each longer prompt. None when an answer has no price
    by the token. What is read from or written to a cache costs the input's price where
    the tables have no other."""
    sides = vars(price) if price else {}
    steps = sorted({start for value in sides.values() for start in borders(value)})
    lists = [amounts_at(sides, border, model) for border in (0, *steps)]
    if any(each is None for each in lists):
        return None
    first, *others = (each for each in lists if each)
    return replace(first, longer=tuple(zip(steps, others, strict=True)))


def amounts_at(
    sides: dict[str, object], prompt_above: int, model: str
) -> PriceList | None:
    found = [at(sides.get(f"{side}_mtok"), prompt_above) for side in SIDES]
    given, answers, reads, writes = found
    if answers is None and ONLY_EMBEDS.search(model):
        answers = Decimal(0)
    if given is None or answers is None:
        return None
    reads = given if reads is None else reads
    writes = given if writes is None else writes
    return PriceList(nano(given), nano(answers), nano(reads), nano(writes))


def at(value: object, prompt_above: int) -> Decimal | None:
    """A side's price for prompts of more tokens than this."""
    from genai_prices.types import TieredPrices

    if isinstance(value, TieredPrices):
        passed = [tier.price for tier in value.tiers if tier.start <= prompt_above]
        return passed[-1] if passed else value.base
    return value if isinstance(value, Decimal) else None


def borders(value: object) -> Iterator[int]:
    from genai_prices.types import TieredPrices

    if isinstance(value, TieredPrices):
        yield from (tier.start for tier in value.tiers if tier.start > 0)


def nano(usd: Decimal) -> int:
    return int((usd * NANO_PER_USD).to_integral_value(ROUND_CEILING))
