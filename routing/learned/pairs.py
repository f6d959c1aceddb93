"""A router's view on two of its tiers: the weak one, and what the strong one gains."""

from dataclasses import dataclass

import numpy as np

from routing.learned.features import Row
from routing.learned.model import QualityModel
from routing.learned.targets import Target, Traffic, solve


class UnknownTier(ValueError):
    """The router knows no such tier; the message names those it knows."""


@dataclass(frozen=True, slots=True)
class Pair:
    """`threshold` is the gain from which the strong tier is worth it.

    It keeps the expected loss of quality at 2 % on the router's held-out rows; where
    prices and traffic are known, the gateway solves its own.
    """

    model: QualityModel
    weak: int
    strong: int
    threshold: float

    @classmethod
    def of(
        cls, model: QualityModel, weak: str | None = None, strong: str | None = None
    ) -> "Pair":
        """The named tiers, else those that the router was measured between."""
        first, last = model.pair
        places = [place_of(name, model) for name in (weak or first, strong or last)]
        if places[0] == places[1]:
            raise UnknownTier("The weak and the strong tier must be two.")
        quality = model.sample[:, places].astype(np.float64)
        cost = np.tile((0.0, 1.0), (len(quality), 1))
        threshold = solve(Traffic(quality, cost), Target()).rate
        return cls(model, places[0], places[1], threshold)

    def gain(self, row: Row) -> float:
        return self.model.gain(row, self.weak, self.strong)

    def tier_for(self, gain: float) -> str:
        return self.model.tiers[self.strong if gain > self.threshold else self.weak]


def place_of(name: str, model: QualityModel) -> int:
    if name not in model.tiers:
        known = ", ".join(model.tiers)
        raise UnknownTier(f"The router knows no tier {name!r}. It knows: {known}.")
    return model.tiers.index(name)
