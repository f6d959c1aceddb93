"""Callers with limits, and prices at which a token of an answer is one nano-dollar."""

from dataclasses import replace
from zoneinfo import ZoneInfo

from gateway.ledger.books import Caller
from gateway.limits.counters import NO_LIMIT, Counters, Mark
from gateway.limits.rules import Rule
from gateway.limits.windows import window
from routing.catalog import Catalog, PriceList
from tests.harness import one_backend, three_tiers

ZURICH = ZoneInfo("Europe/Zurich")
NOON = 1_795_000_000.0  # a Wednesday
NANO = PriceList(0, 1_000_000, 0, 0)


def budget(limit: int, period: str = "day", subject: str = "key:1") -> Rule:
    return Rule(subject, 'key "ci"', "usd", period, limit, ZURICH)


def caller(*rules: Rule, key_id: int = 1, **fields: object) -> Caller:
    return Caller("team:t", "ci", "t", key_id, rules=rules, **fields)


def one_tier(url: str, **policy: object) -> Catalog:
    """One backend; an answer of n tokens costs n nano-dollars, its prompt nothing."""
    catalog = one_backend(url, **policy)
    priced = replace(catalog.backends[0], price=NANO)
    return replace(catalog, backends=(priced,))


def tiers(url: str, **policy: object) -> Catalog:
    """Three tiers; a token of the answer costs 1, 2 and 3 nano-dollars."""
    catalog = three_tiers(url, **policy)
    priced = tuple(
        replace(each, price=PriceList(0, each.tier * 1_000_000, 0, 0))
        for each in catalog.backends
    )
    return replace(catalog, backends=priced)


def mark(amount: int, limit: int = 100, subject: str = "key:1", hold: str = "") -> Mark:
    """An amount of 0 is only a look."""
    of = budget(limit, subject=subject)
    today = window(of.period, of.zone, NOON)
    return Mark(of, today, amount, limit if amount else NO_LIMIT, hold)


async def no_books(marks: object) -> dict[str, int]:
    return {}


async def settled(counters: Counters) -> None:
    """Wait for settlements that are on their way."""
    settling = getattr(counters, "_settling", None)
    if settling:
        await settling.close()
