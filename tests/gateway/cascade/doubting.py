"""Two tiers and a judge, and what a request's checks said."""

from routing.catalog import Catalog, Policy
from tests.harness import TIERS, Gateway, backend

NEAR = 0.25  # of the score: 5 is 25 points below the border between tier 1 and 2
REFUSES = "fault/say=I can't help with that."


def catalog(url: str, small: str, medium: str = "medium", **policy: object) -> Catalog:
    """Two tiers and a judge; the models' names are scripts."""
    rules = {"cascade": "all", "cascade_band": NEAR, **policy}
    backends = (
        backend("small", 1, url, model=small),
        backend("medium", 2, url, model=medium),
        backend("judge", 3, url, model=str(rules.pop("judge_says", "fault/say=NO"))),
    )
    return Catalog(TIERS, backends, policy=Policy(**rules))


def steps(gateway: Gateway, name: str) -> list[dict]:
    [record] = gateway.records("request")
    return [each for each in record["decisions"] if each["step"] == name]


def check(gateway: Gateway) -> dict:
    [found] = steps(gateway, "cascade_check")
    return found
