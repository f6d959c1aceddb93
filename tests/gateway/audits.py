"""Gateways whose hits are audited by a judge."""

from routing.catalog import Catalog, Policy, Tier
from tests.harness import backend


def with_judge(url: str, judge: str, **policy: object) -> Catalog:
    """Tier 1 answers, and a backend of tier 2 judges; `judge` is its script."""
    backends = (
        backend("small", 1, url, model="small"),
        backend("judge", 2, url, model=judge),
    )
    tiers = (Tier(1, "small", 100), Tier(2, "large"))
    return Catalog(tiers, backends, policy=Policy(cache_judge="judge", **policy))


COUNTRIES = (
    *("France", "Spain", "Italy", "Poland", "Norway", "Sweden", "Austria", "Greece"),
    *("Ireland", "Portugal", "Hungary", "Romania", "Bulgaria", "Croatia", "Germany"),
    *("Belgium", "Denmark", "Finland", "Estonia", "Latvia", "Lithuania", "Turkey"),
    *("Egypt", "Morocco", "Kenya", "Japan", "China", "India", "Nepal", "Canada"),
    *("Mexico", "Brazil", "Chile", "Peru", "Bolivia", "Argentina", "Cuba", "Jamaica"),
)
