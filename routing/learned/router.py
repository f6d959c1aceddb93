"""A trained router at work: predicted quality, expected cost, and the tier worth most.

Built once per configuration: the operator's target is solved on traffic then, so that
a request costs one pass over its text and a handful of sums.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import exp
from random import Random
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from routing.candidates import EXPECTED_OUTPUT_TOKENS
from routing.catalog import Backend, Catalog, PriceList, Tier
from routing.chat import Features, Json
from routing.learned.design import Floats
from routing.learned.drift import Placed
from routing.learned.features import Row
from routing.learned.model import QualityModel
from routing.learned.targets import HALVINGS, Outlook, Target, Traffic, solve
from routing.learned.traffic import Seen
from routing.pricing import TOKENS_PER_PRICE

SAME = 1e-6  # gains this close are one: a sample keeps fewer digits than a request has
LEAST_CHANCE = 0.05  # of each tier while learning, where the policy leaves room


class Unfit(ValueError):
    """This router can't decide here; the message says why."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one tier promises for one request. `cost` is in nano-USD, `quality` lies
    between 0 and 1; `expected` is the same before it was brought there."""

    tier: int
    quality: float
    cost: float
    utility: float
    expected: float = 0.0

    def facts(self) -> Json:
        return {
            "tier": self.tier,
            "quality": round(self.quality, 6),
            "cost_nano_usd": round(self.cost),
            "utility": round(self.utility, 6),
        }


class Router:
    """One version of a router, for the tiers of one catalog.

    `borders` are those of a promise, by tier: see routing.learned.promised.
    """

    borders: Mapping[int, float] = MappingProxyType({})

    def __init__(
        self,
        version: int,
        model: QualityModel,
        catalog: Catalog,
        target: Target,
        seen: Seen | None = None,
    ) -> None:
        self.version = version
        self.seen = seen or Seen(model.sample_tokens, model.sample)
        self.model = model
        self.target = target
        self.baseline = catalog.baseline_tier
        known = [(tier, column_of(tier, model.tiers)) for tier in catalog.tiers]
        self._backends: dict[int, list[Backend]] = {}
        self._columns: dict[int, int] = {}
        for tier, column in known:
            serving = [b for b in catalog.by_tier[tier.rank] if serves(b)]
            if column is not None and serving:
                self._columns[tier.rank] = column
                self._backends[tier.rank] = serving
        if len(self._columns) < 2:
            raise Unfit(
                f"Router {version} knows the tiers {', '.join(model.tiers)}; fewer "
                "than two of them are here with a serving backend."
            )
        traffic = self.traffic()
        self.outlook = self.solve(traffic)
        self.softness = soften(
            traffic, self.outlook.rate, catalog.policy.learned_soft_share
        )

        gains = traffic.quality[:, -1] - traffic.quality[:, 0]
        self._edges = np.quantile(gains, np.linspace(0.1, 0.9, 9)).tolist()
        places = np.searchsorted(self._edges, gains + SAME, side="right")
        # Shares of the requests it was measured with, by tenths of their gains; not
        # all are 0.1, for many requests may have the same.
        self.tenths = tuple((np.bincount(places, minlength=10) / len(gains)).tolist())
        self.basis = self._basis()

    def _basis(self) -> str:
        """Names all that its tenths and its outlook come of. Requests that were placed
        on another basis tell nothing of this one; workers have the same."""
        prices = [
            (rank, [backend.price for backend in backends])
            for rank, backends in self._backends.items()
        ]
        rules = (self.version, self.target, self.baseline, dict(self.borders), prices)
        digest = blake2b(repr(rules).encode(), digest_size=16)
        digest.update(self.seen.dump())
        return digest.hexdigest()

    def place(self, estimates: Sequence[Estimate], best: int) -> Placed:
        """Where a request lies among those it was measured with."""
        gain = estimates[-1].quality - estimates[0].quality
        tenth = bisect_right(self._edges, gain + SAME)
        return Placed(self.basis, tenth, best == self.tiers[-1])

    @property
    def tiers(self) -> list[int]:
        return list(self._columns)

    @property
    def columns(self) -> dict[int, int]:
        """Where the model keeps each tier, by its rank."""
        return dict(self._columns)

    def solve(self, traffic: Traffic) -> Outlook:
        """What keeps the target on this traffic."""
        return solve(traffic, self.target)

    def why(self, estimates: Sequence[Estimate], best: int) -> str:
        """Why this tier, in words."""
        return f"tier {best} is worth most"

    def traffic(self, seen: Seen | None = None) -> Traffic:
        """Requests at today's prices: those of the calibration, else the held-out rows
        that the router came with."""
        seen = seen or self.seen
        columns = list(self._columns.values())
        quality = seen.quality[:, columns].astype(np.float64)
        tokens = seen.tokens.astype(np.float64)
        costs = [
            cheapest(self._backends[rank], tokens, EXPECTED_OUTPUT_TOKENS)
            for rank in self._columns
        ]
        return Traffic(quality, np.column_stack(costs))

    def judge(
        self, row: Row, features: Features, read: NDArray[np.float32] | None = None
    ) -> tuple[Estimate, ...]:
        """What each tier promises."""
        expected = self.model.expect_one(row, read).tolist()
        by_tier = {rank: expected[column] for rank, column in self._columns.items()}
        return self.estimate(by_tier, features)

    def estimate(
        self, expected: Mapping[int, float], features: Features
    ) -> tuple[Estimate, ...]:
        """The same from the qualities that the model has found, by tier."""
        output = min(
            features.max_output or EXPECTED_OUTPUT_TOKENS, EXPECTED_OUTPUT_TOKENS
        )
        rate, estimates = self.outlook.rate, []
        for rank in self._columns:
            if rank not in expected:
                continue
            tokens = features.prompt_tokens
            prices = [b.price.of(tokens) for b in self._backends[rank] if b.price]
            cost = min(
                (features.prompt_tokens * p.input + output * p.output)
                / TOKENS_PER_PRICE
                for p in prices
            )
            quality = min(max(expected[rank], 0.0), 1.0)
            estimates.append(
                Estimate(rank, quality, cost, quality - rate * cost, expected[rank])
            )
        return tuple(estimates)

    def decide(
        self, estimates: Sequence[Estimate], allowed: Sequence[int]
    ) -> int | None:
        """The allowed tier worth most, the cheaper of equals; None: none is known."""
        usable = [each for each in estimates if each.tier in allowed]
        if not usable:
            return None
        return max(usable, key=lambda each: (each.utility, -each.cost)).tier

    def chances(
        self, estimates: Sequence[Estimate], allowed: Sequence[int]
    ) -> dict[int, float]:
        """Soft thresholds: with which probability each tier is taken while learning.

        The closer to the border between two tiers, the more even their chances.
        """
        usable = [each for each in estimates if each.tier in allowed]
        best = max(each.utility for each in usable)
        least, spread = self.softness.least_chance, self.softness.spread
        pulls = [exp((each.utility - best) / spread) for each in usable]
        rest = (1 - least * len(usable)) / sum(pulls)
        return {
            each.tier: least + rest * pull
            for each, pull in zip(usable, pulls, strict=True)
        }


def gain_of(estimates: Sequence[Estimate]) -> float:
    """What the top tier is expected to give more than the lowest one."""
    return estimates[-1].expected - estimates[0].expected


def serves(backend: Backend) -> bool:
    """May it be asked, at a cost that is known?"""
    return (
        backend.state == "enabled"
        and not backend.misconfigured
        and backend.price is not None
    )


def column_of(tier: Tier, names: Sequence[str]) -> int | None:
    """Where a router keeps a tier: under its number, or under its name."""
    folded = [name.casefold() for name in names]
    for name in (str(tier.rank), tier.name.casefold()):
        if name in folded:
            return folded.index(name)
    return None


def cheapest(backends: Sequence[Backend], tokens: Floats, output: int) -> Floats:
    """What prompts of these sizes are expected to cost, in nano-USD."""
    costs = [costs_at(b.price, tokens, output) for b in backends if b.price]
    least: Floats = np.min(costs, axis=0)
    return least


def costs_at(price: PriceList, tokens: Floats, output: int) -> Floats:
    """The same at one price, which may have another one for longer prompts."""
    costs = (tokens * price.input + output * price.output) / TOKENS_PER_PRICE
    for above, step in price.longer:
        longer = (tokens * step.input + output * step.output) / TOKENS_PER_PRICE
        costs = np.where(tokens > above, longer, costs)
    return costs


@dataclass(frozen=True, slots=True)
class Softness:
    """How tiers are drawn while learning: none below `least_chance`, and within
    `spread` of a border, in utility, about evenly."""

    least_chance: float
    spread: float


def soften(traffic: Traffic, rate: float, share: float) -> Softness:
    """The softness that sends this share of the traffic elsewhere than to its best.

    Half of it at most is spent far from any border: what is never tried is never known.
    """
    utility = traffic.quality - rate * traffic.cost
    behind = utility - utility.max(axis=1, keepdims=True)
    tiers = behind.shape[1]
    least = min(LEAST_CHANCE, share / (2 * (tiers - 1)))
    low, high = 1e-9, 1.0
    for _ in range(HALVINGS):
        middle = (low * high) ** 0.5
        best = 1 / np.exp(behind / middle).sum(axis=1)
        moved = 1 - least - (1 - tiers * least) * best.mean()
        low, high = (middle, high) if moved <= share else (low, middle)
    return Softness(least, low)


def draw(chances: dict[int, float], random: Random) -> int:
    """One tier, by its chance."""
    left = random.random()
    for tier, chance in chances.items():
        left -= chance
        if left < 0:
            return tier
    return next(iter(chances))
