"""Which requests a cheaper tier answers first, and who answers after a doubt."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from routing.catalog import Catalog
from routing.chat import Json
from routing.classifier import Score
from routing.tiers import Choice


@dataclass(frozen=True, slots=True)
class Cascade:
    """`first` answers; `then` does when that answer is doubted."""

    first: int
    then: int
    reason: str


def plan(
    choice: Choice, score: Score, allowed: Sequence[int], catalog: Catalog
) -> Cascade | None:
    """The two tiers between which a request is uncertain; None when it is not."""
    policy = catalog.policy
    known = [each for each in choice.estimates if each["tier"] in allowed]
    if known and policy.learned_target == "max_worse":
        return within_promise(choice.tier, allowed, catalog)
    if known:
        return by_worth(choice.tier, known, policy.cascade_band)
    if policy.cold_start == "baseline":
        return None
    return by_score(choice.tier, score, allowed, catalog)


def within_promise(
    tier: int, allowed: Sequence[int], catalog: Catalog
) -> Cascade | None:
    """A promise leaves one way only: up. So every downgrade is looked at."""
    baseline = catalog.baseline_tier
    if tier >= baseline or baseline not in allowed:
        return None
    return Cascade(tier, baseline, f"Tier {tier} is below the baseline, {baseline}.")


def by_worth(tier: int, known: Sequence[Json], band: float) -> Cascade | None:
    """By a router's estimates, cheapest tier first."""
    best = max(each["utility"] for each in known)
    near = {e["tier"]: e["utility"] for e in known if e["utility"] >= best - band}
    if near.get(tier) != best:  # drawn to learn from: its own answer is what counts
        return None
    first = min(near)
    above = [rank for rank in near if rank > first]
    if not above:
        return None
    then = tier if tier > first else max(above, key=lambda rank: near[rank])
    gap = abs(near[first] - near[then])
    return Cascade(
        first, then, f"Tiers {first} and {then} are worth the same within {gap:.3f}."
    )


def by_score(
    tier: int, score: Score, allowed: Sequence[int], catalog: Catalog
) -> Cascade | None:
    """Without a router: near the border between two tiers."""
    points = catalog.policy.cascade_band * 100
    for lower, upper in pairwise(catalog.tiers):
        border = lower.max_score
        if border is None or tier not in (lower.rank, upper.rank):
            continue
        if not {lower.rank, upper.rank} <= set(allowed):
            continue
        if abs(score.value - border) <= points:
            reason = f"Score {score.value} is near the border of {border}."
            return Cascade(lower.rank, upper.rank, reason)
    return None
