"""A small router, two prompts that it tells apart, and the market it decides for."""

from dataclasses import replace

from routing.catalog import Catalog, Policy
from routing.learned.features import prompt_of, row_of
from tests.harness import PRICES, TIERS, backend
from tests.routing.learned.samples import small_router

MODEL = small_router()
HARD, EASY = "derive the integral of lamp cloud", "say hello to lamp cloud"


def catalog(*, tiers=TIERS, **fields) -> Catalog:
    backends = [
        replace(
            backend(tier.name, 1, "http://x"),
            **{"tier": tier.rank, "price": PRICES.get(tier.rank, PRICES[1]), **fields},
        )
        for tier in tiers
    ]
    return Catalog(tiers, tuple(backends), policy=Policy())


def row(text):
    return row_of(prompt_of({"messages": [{"role": "user", "content": text}]}))
