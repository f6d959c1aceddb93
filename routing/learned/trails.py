"""How well backends serve each kind of request, by the trail that votes leave.

Only good answers strengthen a trail; every vote weighs on it. What is old fades toward
the prior, no trail ever ends or blocks all others, and what a trail is worth is
reckoned from counts that are only added to.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from math import sqrt

import numpy as np

from routing.learned.design import Floats

PRIOR, PRIOR_VOTES = 0.6, 4.0
HALF_LIFE_DAYS = 14.0
LEAST, MOST = 0.05, 1.0
GATE = 0.5  # a worse answer strengthens nothing
WIDTH = 1.96  # standard deviations of a 95 % interval

Cell = tuple[int, int, str]  # intent, tier, backend


@dataclass(slots=True)
class Strength:
    """Faded sums of one cell; `votes` is not faded."""

    weight: float = 0.0
    reward: float = 0.0
    votes: int = 0
    pinned: float | None = None

    @property
    def value(self) -> float:
        if self.pinned is not None:
            return self.pinned
        total = self.weight + PRIOR_VOTES
        value = (self.reward + PRIOR * PRIOR_VOTES) / total
        return min(MOST, max(LEAST, value))

    @property
    def interval(self) -> tuple[float, float]:
        if self.pinned is not None:
            return self.pinned, self.pinned
        around = WIDTH * sqrt(0.25 / (self.weight + PRIOR_VOTES))
        return max(0.0, self.value - around), min(1.0, self.value + around)


def reward_of(quality: float) -> float:
    return quality if quality >= GATE else 0.0


def faded(day: date, today: date) -> float:
    """What is left of a count after so many days."""
    age: float = max(0, (today - day).days)
    return float(2 ** (-age / HALF_LIFE_DAYS))


@dataclass(frozen=True, slots=True)
class Count:
    """One day's row of a cell."""

    cell: Cell
    day: date
    votes: int
    weight: float
    reward: float


@dataclass(slots=True)
class Trails:
    """The cells of one scope."""

    cells: dict[Cell, Strength] = field(default_factory=dict)

    def add(self, counts: Iterable[Count], today: date) -> None:
        for count in counts:
            cell = self.cells.setdefault(count.cell, Strength())
            left = faded(count.day, today)
            cell.weight += left * count.weight
            cell.reward += left * count.reward
            cell.votes += count.votes

    def pin(self, cell: Cell, value: float) -> None:
        self.cells.setdefault(cell, Strength()).pinned = value

    def worth(self, mixture: Mapping[int, float], tier: int, backend: str) -> float:
        """Of a backend for a request of this mixture of intents."""
        return sum(
            share * self.cells.get((intent, tier, backend), Strength()).value
            for intent, share in mixture.items()
        )


def simulate(
    mixtures: Floats, quality: Floats, seed: int = 0
) -> tuple[Floats, Sequence[int]]:
    """Trails of tiers on judged prompts: laid by the first half, where only the answer
    of one tier, drawn at random, is judged; read on the other half.

    Returns what each tier is worth on those rows, and which rows they are.
    """
    random = np.random.default_rng(seed)
    order = random.permutation(len(quality))
    lay, read = np.array_split(order, 2)
    tiers = quality.shape[1]
    weight = np.zeros((mixtures.shape[1], tiers))
    reward = np.zeros_like(weight)
    drawn = random.integers(0, tiers, len(lay))
    for row, tier in zip(lay.tolist(), drawn.tolist(), strict=True):
        seen = float(quality[row, tier])
        if np.isnan(seen):
            continue
        weight[:, tier] += mixtures[row]
        reward[:, tier] += mixtures[row] * reward_of(seen)
    value = (reward + PRIOR * PRIOR_VOTES) / (weight + PRIOR_VOTES)
    worth: Floats = mixtures[read] @ np.clip(value, LEAST, MOST)
    return worth, read.tolist()
