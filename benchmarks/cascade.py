"""Cheap first against routing alone, simulated on judged answers of real models.

    python -m benchmarks.cascade DATA.jsonl.gz [BENCH]

A line needs "prompt", "bench", "weak" and "strong", the qualities of both answers. The
checker of the cheap answer is simulated: how confident it is tells right from wrong
answers with a given AUC. Predictions are by routers that had not seen the line, and the
decisions are the gateway's own. Each price of quality gives a point of the curve; what
routing alone reaches is read off at the cost that the cascade came to.
"""

import gzip
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from routing.cascade import by_worth
from routing.learned.labelled import Collector
from routing.learned.train import DEFAULT_INTENTS, Reading, held_out, stretches

Floats = NDArray[np.float64]

WEAK_COST, STRONG_COST = 1.0, 12.0
AUC = 0.75
NEUTRAL = 0.5
BAND = 0.1
SEEDS = range(5)
# Quality that one weak answer's price is worth: from dear to cheap strong answers.
PRICES = (0.045, 0.035, 0.028, 0.022, 0.018, 0.014, 0.011, 0.008, 0.005)


@dataclass(frozen=True, slots=True)
class Lines:
    """What a router expects of both answers, and what they were really worth."""

    expected: Floats  # lines x (weak, strong)
    weak: Floats
    strong: Floats

    @property
    def gain(self) -> Floats:
        gain: Floats = self.expected[:, 1] - self.expected[:, 0]
        return gain


@dataclass(frozen=True, slots=True)
class Point:
    """At one price: the cost, as a share of always asking the strong model, how often
    it was asked after a doubt, the quality, and that of routing alone at this cost."""

    cost: float
    doubted: float
    cascade: float
    routing: float


def read(path: Path, bench: str) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [row for row in map(json.loads, file) if row["bench"] == bench]


def lines_of(rows: Sequence[dict[str, Any]]) -> Lines:
    """With the expectations of routers that had not seen the line."""
    collector = Collector()
    for row in rows:
        body = {"messages": [{"role": "user", "content": row["prompt"]}]}
        collector.add(body, {"1": row["weak"], "2": row["strong"]})
    labelled = collector.labelled()
    held = held_out(labelled, 3, Reading(DEFAULT_INTENTS))
    expected = np.clip(held.predict(stretches(held, labelled)), 0.0, 1.0)
    return Lines(
        expected,
        np.array([float(row["weak"]) for row in rows]),
        np.array([float(row["strong"]) for row in rows]),
    )


def confident(weak: Floats, seed: int) -> Floats:
    """How confident a checker is of each answer: normal scores that lie higher for
    right ones by what makes this AUC, as the probability that they stand for."""
    random = np.random.default_rng(seed)
    apart = NormalDist().inv_cdf(AUC) * sqrt(2)
    score = random.standard_normal(len(weak)) + apart * (weak >= 0.5)
    odds: Floats = np.exp(apart * score - apart**2 / 2)
    return odds / (1 + odds)


def routing_alone(lines: Lines, cost: float) -> float:
    """The quality at this cost: the requests of the largest gain go up."""
    order = np.argsort(-lines.gain, kind="stable")
    better = np.concatenate(([0.0], np.cumsum((lines.strong - lines.weak)[order])))
    share = np.arange(len(better)) / len(order)
    costs = (WEAK_COST * (1 - share) + STRONG_COST * share) / STRONG_COST
    quality = lines.weak.mean() + better / len(order)
    return float(np.interp(cost, costs, quality))


def answered(
    expected: Sequence[float], confidence: float, price: float, band: float
) -> tuple[bool, bool]:
    """Does the weak model answer first, and does the strong one answer in the end?"""
    known = [
        {"tier": tier, "quality": quality, "utility": quality - price * cost}
        for tier, quality, cost in zip(
            (1, 2), expected, (WEAK_COST, STRONG_COST), strict=True
        )
    ]
    chosen = 2 if known[1]["utility"] > known[0]["utility"] else 1
    planned = by_worth(chosen, known, band, only_up=False)
    if planned is None or planned.stake is None:
        return chosen == 1, chosen == 2
    return True, planned.stake.gain(confidence, NEUTRAL) > planned.stake.price


def point(lines: Lines, price: float, band: float, seeds: Sequence[int]) -> Point:
    """Means over seeds of the checker."""
    seen = []
    for seed in seeds:
        confidence = confident(lines.weak, seed)
        ways = [
            answered(pair, sure, price, band)
            for pair, sure in zip(
                lines.expected.tolist(), confidence.tolist(), strict=True
            )
        ]
        first, strong = np.array(ways).T
        quality = np.where(strong, lines.strong, lines.weak).mean()
        cost = (WEAK_COST * first + STRONG_COST * strong).mean() / STRONG_COST
        alone = routing_alone(lines, float(cost))
        seen.append((cost, (first & strong).mean(), quality, alone))
    return Point(*np.mean(seen, axis=0).tolist())


def curve(
    lines: Lines,
    prices: Sequence[float] = PRICES,
    band: float = BAND,
    seeds: Sequence[int] = SEEDS,
) -> list[Point]:
    return [point(lines, price, band, seeds) for price in prices]


def table(points: Sequence[Point]) -> str:
    lines = [
        "| Cost, of always strong | Doubted | Routing | Cheap first | Difference |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {p.cost:.1%} | {p.doubted:.1%} | {p.routing:.3f} | {p.cascade:.3f} | "
        f"{p.cascade - p.routing:+.3f} |"
        for p in points
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    path, bench = Path(sys.argv[1]), (sys.argv[2:] or ["mix14"])[0]
    print(table(curve(lines_of(read(path, bench)))))
