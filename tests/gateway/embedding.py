"""Backends with one model for embeddings, and how it is asked."""

import httpx

from routing.catalog import Catalog, Policy, PriceList
from tests.harness import TIERS, Gateway, Reply, backend

MODEL = "text-embedding-3-small"
PRICE = PriceList(20_000_000, 0, 20_000_000, 20_000_000)


def catalog(url: str, *extra, aliases=(), **policy: object) -> Catalog:
    """Chat in two tiers, and two backends with one model for embeddings."""
    chat = [backend("small", 1, url), backend("large", 3, url)]
    vectors = [
        backend(name, tier, url, model=MODEL, price=PRICE)
        for name, tier in (("vectors", 1), ("spare", 2))
    ]
    return Catalog(TIERS, (*chat, *vectors, *extra), aliases, Policy(**policy))


async def embed(gateway: Gateway, given: object = "Hi", **fields: object) -> Reply:
    headers = fields.pop("headers", None)
    body = {"model": MODEL, "input": given, **fields}
    async with httpx.AsyncClient(timeout=30, verify=False) as client:
        response = await client.post(
            f"{gateway.url}/v1/embeddings", json=body, headers=headers
        )
    return Reply(response.status_code, response.headers, response.text)
