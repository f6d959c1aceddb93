"""Where the scores of tiers end for a scope, by what it said of their answers.

Two neighbouring tiers are compared at equal scores, band by band, and the border lies
where most is gained for sure. Nothing is compared across scopes.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import NamedTuple

from django.db import transaction
from django.db.models import Count

from routing.learned.targets import DEFAULT_MAX_LOSS
from routing.models import Feedback, RoutingPolicy, Tier, VotedBorder

BAND = 5  # points of the score that are taken together
ENOUGH = 20.0  # votes, in full weight, on each of two tiers
KNOWN = 2.0  # votes on each in a band; with fewer it says nothing
SURE = 2.0  # standard errors that a gain must exceed
VARIANCE = 0.25  # the most that numbers from 0 to 1 can have


class Vote(NamedTuple):
    """`weight` is how much of a vote it is: 1 by request id, a tenth without."""

    score: int
    tier: int
    quality: float
    weight: float


class Step(NamedTuple):
    """What a border gains by passing one band upward, and how unsure that is."""

    gain: float
    variance: float


@dataclass(slots=True)
class Sum:
    weight: float = 0.0
    quality: float = 0.0

    def add(self, vote: Vote) -> None:
        self.weight += vote.weight
        self.quality += vote.weight * vote.quality

    @property
    def mean(self) -> float:
        return self.quality / self.weight


def best_border(
    votes: Sequence[Vote], tier: int, upper: int, base: int, room: range, loss: float
) -> int:
    """Where `tier` ends against `upper`, within `room`; `base` unless the votes are
    sure. A band counts as much as it was voted on; `loss` of quality is accepted."""
    of: dict[int, defaultdict[int, Sum]]
    of = {rank: defaultdict(Sum) for rank in (tier, upper)}
    traffic: defaultdict[int, float] = defaultdict(float)
    for vote in votes:
        band = (vote.score - base - 1) // BAND  # band 0 begins above the border
        traffic[band] += vote.weight
        if vote.tier in of:
            of[vote.tier][band].add(vote)
    if min(sum(s.weight for s in bands.values()) for bands in of.values()) < ENOUGH:
        return base

    def step(band: int) -> Step:
        low, high = of[tier][band], of[upper][band]
        if min(low.weight, high.weight) < KNOWN:
            return Step(0.0, 0.0)
        gain = traffic[band] * (low.mean - (1 - loss) * high.mean)
        unsure = VARIANCE / low.weight + (1 - loss) ** 2 * VARIANCE / high.weight
        return Step(gain, traffic[band] ** 2 * unsure)

    up = range(max(traffic) + 1)
    down = range(-1, min(traffic) - 1, -1)
    best, least = base, 0.0
    for bands, sign in ((up, 1), (down, -1)):
        gain = variance = 0.0
        for band in bands:
            passed = step(band)
            gain += sign * passed.gain
            variance += passed.variance
            border = base + BAND * (band + (sign > 0))
            sure = gain - SURE * sqrt(variance)
            if sure > least and border in room:
                best, least = border, sure
    return best


def borders(
    votes: Sequence[Vote], tiers: Sequence[tuple[int, int | None]], loss: float
) -> dict[int, int]:
    """The border of each tier but the last; `tiers` are ranks with today's borders,
    which rise. So do these."""
    found: dict[int, int] = {}
    lowest = 0
    for place, ((tier, base), (upper, above)) in enumerate(pairwise(tiers)):
        if base is None:
            break
        last = place + 2 == len(tiers)
        room = range(lowest, 100 if last or above is None else above)
        found[tier] = best_border(votes, tier, upper, base, room, loss)
        lowest = found[tier] + 1
    return found


def due_borders(policy: RoutingPolicy) -> list[str]:
    """Scopes with enough votes of any form since their borders were last looked at."""
    if policy.learning == RoutingPolicy.Learning.NONE:
        return []
    seen = dict(VotedBorder.objects.values_list("scope", "newest"))
    scopes = Feedback.objects.order_by().values("scope").annotate(count=Count("id"))
    return [
        row["scope"]
        for row in scopes.filter(count__gte=policy.learned_refit_every)
        if Feedback.objects.filter(
            scope=row["scope"], id__gt=seen.get(row["scope"], 0)
        ).count()
        >= policy.learned_refit_every
    ]


def keep_borders(scope: str, policy: RoutingPolicy) -> list[VotedBorder]:
    """Look at a scope's newest votes, and at nobody else's."""
    rows = list(
        Feedback.objects.filter(scope=scope).order_by("-id")[: policy.max_feedback]
    )
    if not rows:
        return []
    votes = [vote_of(row) for row in rows]
    tiers = [(tier.rank, tier.max_score) for tier in Tier.objects.all()]
    target = RoutingPolicy.LearnedTarget.MAX_LOSS
    accepted = policy.learned_target == target
    loss = policy.learned_target_value if accepted else DEFAULT_MAX_LOSS
    bases, above = dict(tiers), {a: b for (a, _), (b, _) in pairwise(tiers)}
    told = weights(votes)
    kept = []
    with transaction.atomic():
        for rank, border in borders(votes, tiers, loss).items():
            values = {
                "base": bases[rank],
                "border": border,
                "votes": round(told[rank], 1),
                "votes_above": round(told[above[rank]], 1),
                "newest": rows[0].pk,
            }
            kept.append(
                VotedBorder.objects.update_or_create(
                    scope=scope, tier=rank, defaults=values
                )[0]
            )
        VotedBorder.objects.filter(scope=scope).exclude(
            pk__in=[row.pk for row in kept]
        ).delete()
    return kept


def vote_of(row: Feedback) -> Vote:
    """Whatever a row says, a vote is one at most, and its quality a share."""
    quality, weight = (min(max(n, 0.0), 1.0) for n in (row.quality, row.weight))
    return Vote(round(row.score * 100), row.tier, quality, weight)


def weights(votes: Iterable[Vote]) -> defaultdict[int, float]:
    found: defaultdict[int, float] = defaultdict(float)
    for vote in votes:
        found[vote.tier] += vote.weight
    return found
