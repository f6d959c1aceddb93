"""A trained router that keeps a promise: only what was shown is downgraded."""

from collections.abc import Sequence

import numpy as np

from routing.catalog import Catalog
from routing.learned.model import QualityModel
from routing.learned.promise import Promise
from routing.learned.router import LEAST_CHANCE, Estimate, Router
from routing.learned.targets import Outlook, Target, Traffic, outlook_of
from routing.learned.traffic import Seen


class PromisedRouter(Router):
    """A request goes to the cheapest tier within its border, else to the baseline.

    Without a promise, everything goes to the baseline. `promise` names tiers by rank.
    """

    def __init__(
        self,
        version: int,
        model: QualityModel,
        catalog: Catalog,
        target: Target,
        seen: Seen | None = None,
        promise: Promise | None = None,
    ) -> None:
        self.promise = promise
        borders = promise.borders if promise else ()
        self.borders = {int(each.tier): each.threshold for each in borders}
        super().__init__(version, model, catalog, target, seen)

    def solve(self, traffic: Traffic) -> Outlook:
        ranks = self.tiers
        chosen = np.full(len(traffic.quality), self._highest_up_to_baseline(ranks))
        if self.baseline in ranks:
            quality = traffic.quality[:, ranks.index(self.baseline)]
            # From the dearest to the cheapest: the cheapest has the last word.
            for rank in reversed([rank for rank in ranks if rank in self.borders]):
                column = ranks.index(rank)
                gain = quality - traffic.quality[:, column]
                chosen[gain <= self.borders[rank]] = column
        return outlook_of(traffic, chosen, rate=0.0)

    def _highest_up_to_baseline(self, ranks: Sequence[int]) -> int:
        below = [place for place, rank in enumerate(ranks) if rank <= self.baseline]
        return below[-1] if below else 0

    def decide(
        self, estimates: Sequence[Estimate], allowed: Sequence[int]
    ) -> int | None:
        usable = [each.tier for each in estimates if each.tier in allowed]
        if not usable:
            return None
        gains = self._gains(estimates)
        for rank in usable:
            if rank in self.borders and gains.get(rank, 1.0) <= self.borders[rank]:
                return rank
        # Downgraded beyond what was shown only where a ceiling leaves nothing else.
        return next((rank for rank in usable if rank >= self.baseline), usable[-1])

    def _gains(self, estimates: Sequence[Estimate]) -> dict[int, float]:
        quality = {each.tier: each.quality for each in estimates}
        best = quality.get(self.baseline)
        if best is None:
            return {}
        return {tier: best - value for tier, value in quality.items()}

    def chances(
        self, estimates: Sequence[Estimate], allowed: Sequence[int]
    ) -> dict[int, float]:
        """While learning, only dearer tiers are tried, and each request alike: those
        that stay are then worse no more often than was promised."""
        best = self.decide(estimates, allowed)
        if best is None:
            return {}
        dearer = [e.tier for e in estimates if e.tier in allowed and e.tier > best]
        rest = 1 - LEAST_CHANCE * len(dearer)
        return {best: rest} | dict.fromkeys(dearer, LEAST_CHANCE)

    def why(self, estimates: Sequence[Estimate], best: int) -> str:
        if not self.borders:
            return f"no promise has been shown, so tier {best} answers"
        gain = self._gains(estimates).get(best)
        border = self.borders.get(best)
        if gain is None or border is None or gain > border:
            return f"tier {best}, because a cheaper one would break the promise"
        return (
            f"tier {self.baseline} gains {gain:.3f} over tier {best}, and up to "
            f"{border:.3f} keeps the promise"
        )
