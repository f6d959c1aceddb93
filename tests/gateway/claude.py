"""A backend that speaks Anthropic's dialect."""

from routing.catalog import Catalog, Policy, Tier
from tests.harness import backend


def claude(url: str, model: str = "claude-haiku-4-5", **policy: object) -> Catalog:
    only = backend("claude", 1, url, provider="anthropic", model=model)
    return Catalog((Tier(1, "small"),), (only,), policy=Policy(**policy))
