"""Cheap first against routing alone, simulated on judged answers of real models.

    python -m benchmarks.cascade DATA.jsonl.gz [BENCH]

A line needs "prompt", "bench", "weak" and "strong", the qualities of both answers. The
checker of the cheap answer is simulated: a score that tells right from wrong answers
with a given AUC. Predictions are by routers that had not seen the line; what is tuned
on one half of the lines is measured on the other.
"""

import gzip
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import sqrt
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from routing.learned.labelled import Collector
from routing.learned.train import held_out, stretches

Floats = NDArray[np.float64]

WEAK_COST, STRONG_COST = 1.0, 12.0
AUC = 0.75
SEEDS = range(10)
BUDGETS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)  # of always asking the strong model
EDGES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests: the gain predicted of the strong answer, both qualities, and what the
    checker thinks of the weak answer."""

    gain: Floats
    weak: Floats
    strong: Floats
    check: Floats

    def take(self, rows: NDArray[np.bool_]) -> "Traffic":
        return Traffic(
            self.gain[rows], self.weak[rows], self.strong[rows], self.check[rows]
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """Below `low` the weak model answers, above `high` the strong one; in between the
    weak one does, unless its answer's check is below `least`."""

    low: float
    high: float
    least: float

    def apply(self, traffic: Traffic) -> tuple[float, float]:
        """The cost, as a share of always asking the strong model, and the quality."""
        direct = traffic.gain > self.high
        doubted = (traffic.gain > self.low) & ~direct & (traffic.check < self.least)
        quality = np.where(direct | doubted, traffic.strong, traffic.weak)
        cost = np.where(direct, STRONG_COST, WEAK_COST + STRONG_COST * doubted)
        return float(cost.mean()) / STRONG_COST, float(quality.mean())


@dataclass(frozen=True, slots=True)
class Point:
    """At one budget, on lines that nothing was tuned on: what the cascade costs and is
    worth, and what routing alone is worth at the same cost."""

    budget: float
    cost: float
    cascade: float
    routing: float


def read(path: Path, bench: str) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [row for row in map(json.loads, file) if row["bench"] == bench]


def predicted(rows: Sequence[dict[str, Any]]) -> Floats:
    """The gain that a router expects that has not seen the line."""
    collector = Collector()
    for row in rows:
        body = {"messages": [{"role": "user", "content": row["prompt"]}]}
        collector.add(body, {"1": row["weak"], "2": row["strong"]})
    labelled = collector.labelled()
    held = held_out(labelled, folds=3, scale=None)
    quality = held.predict(stretches(held, labelled))
    gain: Floats = quality[:, 1] - quality[:, 0]
    return gain


def checked(weak: Floats, seed: int, auc: float = AUC) -> Floats:
    """Normal scores; those of right answers lie higher by what makes this AUC."""
    random = np.random.default_rng(seed)
    apart = NormalDist().inv_cdf(auc) * sqrt(2)
    noise: Floats = random.standard_normal(len(weak)) + apart * (weak >= 0.5)
    return noise


def routing_alone(traffic: Traffic, cost: float) -> float:
    """The quality at this cost: the requests of the largest gain go up."""
    order = np.argsort(-traffic.gain, kind="stable")
    better = np.concatenate(([0.0], np.cumsum((traffic.strong - traffic.weak)[order])))
    share = np.arange(len(better)) / len(order)
    costs = (WEAK_COST * (1 - share) + STRONG_COST * share) / STRONG_COST
    quality = traffic.weak.mean() + better / len(order)
    return float(np.interp(cost, costs, quality))


def rules(traffic: Traffic) -> Iterator[Rule]:
    gains = [-np.inf, *np.quantile(traffic.gain, EDGES[1:-1]), np.inf]
    checks = np.quantile(traffic.check, EDGES)
    for low, high, least in product(gains, gains, checks):
        if low <= high:
            yield Rule(float(low), float(high), float(least))


def tune(traffic: Traffic, budgets: Sequence[float]) -> dict[float, Rule]:
    """The best rule that keeps each budget."""
    tried = [(rule, *rule.apply(traffic)) for rule in rules(traffic)]
    return {
        budget: max((t for t in tried if t[1] <= budget), key=lambda t: t[2])[0]
        for budget in budgets
    }


def curves(
    rows: Sequence[dict[str, Any]],
    seeds: Sequence[int] = SEEDS,
    budgets: Sequence[float] = BUDGETS,
) -> list[Point]:
    """Means over seeds and over both halves, each measured by the other's rules."""
    gain = predicted(rows)
    weak = np.array([float(row["weak"]) for row in rows])
    strong = np.array([float(row["strong"]) for row in rows])
    found: dict[float, list[tuple[float, float, float]]] = {b: [] for b in budgets}
    for seed in seeds:
        traffic = Traffic(gain, weak, strong, checked(weak, seed))
        first = np.random.default_rng(1000 + seed).random(len(rows)) < 0.5
        for half in (first, ~first):
            test = traffic.take(~half)
            for budget, rule in tune(traffic.take(half), budgets).items():
                cost, quality = rule.apply(test)
                found[budget].append((cost, quality, routing_alone(test, cost)))
    return [
        Point(budget, *np.mean(seen, axis=0).tolist()) for budget, seen in found.items()
    ]


def table(points: Sequence[Point]) -> str:
    lines = [
        "| Cost, of always strong | Routing alone | Cheap first | Difference |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {p.cost:.1%} | {p.routing:.3f} | {p.cascade:.3f} | "
        f"{p.cascade - p.routing:+.3f} |"
        for p in points
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    path, bench = Path(sys.argv[1]), (sys.argv[2:] or ["mix14"])[0]
    print(table(curves(read(path, bench))))
