"""Which requests a cheaper tier answers first, and who answers after a doubt."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from routing.catalog import Catalog
from routing.chat import Json
from routing.classifier import Score
from routing.tiers import Choice

# Of the requests that the cheaper tier gets right: how many the other one does too.
KEPT = 0.9
CERTAIN = 0.99  # no expectation and no check is more certain than that


@dataclass(frozen=True, slots=True)
class Stake:
    """What a router expects: the quality of both tiers, and the quality that the price
    of the other tier's answer is worth."""

    quality: float
    better: float
    price: float

    def gain(self, confidence: float, neutral: float) -> float:
        """What the other tier's answer is worth more, now that a check has told how
        confident one can be of the first one; `neutral` tells nothing."""
        quality = within(self.quality)
        odds = odds_of(quality) * odds_of(confidence) / odds_of(neutral)
        right = odds / (1 + odds)
        mended = (self.better - quality * KEPT) / (1 - quality)
        return (1 - right) * min(1.0, max(0.0, mended)) - right * (1 - KEPT)


def within(share: float) -> float:
    return min(CERTAIN, max(1 - CERTAIN, share))


def odds_of(share: float) -> float:
    return within(share) / (1 - within(share))


@dataclass(frozen=True, slots=True)
class Cascade:
    """`first` answers; `then` does when that answer is doubted. `stake` is what a
    router expects of both; None when none was asked."""

    first: int
    then: int
    reason: str
    stake: Stake | None = None


def plan(
    choice: Choice,
    score: Score,
    allowed: Sequence[int],
    catalog: Catalog,
    *,
    only_up: bool = False,
) -> Cascade | None:
    """The two tiers between which a request is uncertain; None when it is not.

    `only_up` never begins below the chosen tier: for checks that find mistakes of form
    and tell nothing of how good an answer is.
    """
    policy = catalog.policy
    known = [each for each in choice.estimates if each["tier"] in allowed]
    if known and policy.learned_target == "max_worse":
        return within_promise(choice.tier, allowed, catalog)
    if known:
        return by_worth(choice.tier, known, policy.cascade_band, only_up)
    if policy.cold_start == "baseline":
        return None
    found = by_score(choice.tier, score, allowed, catalog)
    return None if found and only_up and found.first < choice.tier else found


def within_promise(
    tier: int, allowed: Sequence[int], catalog: Catalog
) -> Cascade | None:
    """A promise leaves one way only: up. So every downgrade is looked at."""
    baseline = catalog.baseline_tier
    if tier >= baseline or baseline not in allowed:
        return None
    return Cascade(tier, baseline, f"Tier {tier} is below the baseline, {baseline}.")


def by_worth(
    tier: int, known: Sequence[Json], band: float, only_up: bool
) -> Cascade | None:
    """By a router's estimates, cheapest tier first."""
    best = max(each["utility"] for each in known)
    near = {e["tier"]: e for e in known if e["utility"] >= best - band}
    if tier not in near or near[tier]["utility"] != best:
        return None  # drawn to learn from: its own answer is what counts
    first = tier if only_up else min(near)
    above = [rank for rank in near if rank > first]
    if not above:
        return None
    then = tier if tier > first else max(above, key=lambda rank: near[rank]["utility"])
    low, high = near[first], near[then]
    gap = abs(low["utility"] - high["utility"])
    return Cascade(
        first,
        then,
        f"Tiers {first} and {then} are worth the same within {gap:.3f}.",
        Stake(low["quality"], high["quality"], high["quality"] - high["utility"]),
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
