"""How well a score ranks requests, on rows it has not seen.

APGR is the share of the quality gap between two tiers that is recovered, averaged over
all shares of requests sent to the stronger one: 0.5 is what a coin does. CPT(x) is the
smallest share of strong calls that recovers x of the gap. Ties are split in
expectation, so that every score is a point of the curve.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from routing.learned.design import Floats

RESAMPLES = 300
CONFIDENCE = 0.95
SURE = 0.975  # the whole interval lies above zero
# What some hundred single votes can tell; watching and a step back stand behind it.
LIKELY = 0.8
NO_WORSE = 0.5
MIN_ROWS = 200  # below it no interval can tell a router from a coin
STATIC = "static tiers"  # they send up any share of requests, unseen: a coin


@dataclass(frozen=True, slots=True)
class Ranking:
    """APGR and the shares of strong calls for half and for 80 % of the gap."""

    apgr: float
    cpt50: float
    cpt80: float


class Curve:
    """The gap recovered against the share of strong calls, of one score."""

    def __init__(self, score: Floats, gain: Floats) -> None:
        self._order = np.argsort(-score, kind="stable")
        ranked = score[self._order]
        self._last = np.concatenate((ranked[1:] != ranked[:-1], [True]))
        self._gain = gain[self._order]

    def points(self, weight: Floats) -> tuple[Floats, Floats]:
        weight = weight[self._order]
        share, gap = np.cumsum(weight), np.cumsum(weight * self._gain)
        x = np.concatenate(([0.0], share[self._last] / share[-1]))
        return x, np.concatenate(([0.0], gap[self._last] / gap[-1]))

    def apgr(self, weight: Floats) -> float:
        x, y = self.points(weight)
        return float(np.sum(np.diff(x) * (y[1:] + y[:-1])) / 2)

    def ranking(self) -> Ranking:
        weight = np.ones(len(self._gain))
        x, y = self.points(weight)
        return Ranking(self.apgr(weight), first_at(x, y, 0.5), first_at(x, y, 0.8))


def first_at(x: Floats, y: Floats, goal: float) -> float:
    """The first share at which the curve reaches `goal`."""
    place = max(1, int(np.argmax(y >= goal)))
    rise = y[place] - y[place - 1]
    part = (goal - y[place - 1]) / rise if rise else 0.0
    return float(x[place - 1] + (x[place] - x[place - 1]) * part)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A score against a baseline on the same rows; `low` to `high` holds 95 %.

    `odds` is the share of resamples in which the score was the better one.
    """

    baseline: str
    apgr: float
    baseline_apgr: float
    difference: float
    low: float
    high: float
    odds: float


def compare(
    score: Floats, baseline: Floats, gain: Floats, name: str, seed: int = 0
) -> Comparison:
    """The paired difference in APGR, its interval by resampling rows."""
    ours, theirs = Curve(score, gain), Curve(baseline, gain)
    once = np.ones(len(gain))
    apgr, other = ours.apgr(once), theirs.apgr(once)
    differences = np.array(
        [
            ours.apgr(weight) - theirs.apgr(weight)
            for weight in resamples(len(gain), seed)
            if abs(float(weight @ gain)) > 1e-9
        ]
    )
    low, high = interval(differences)
    odds = float((differences > 0).mean()) if len(differences) else 0.0
    return Comparison(name, apgr, other, apgr - other, low, high, odds)


def resamples(rows: int, seed: int) -> Iterator[Floats]:
    """How often each row is drawn when as many rows are drawn with replacement."""
    random = np.random.default_rng(seed)
    for _ in range(RESAMPLES):
        drawn = random.integers(0, rows, rows)
        yield np.bincount(drawn, minlength=rows).astype(np.float64)


def interval(values: NDArray[np.float64]) -> tuple[float, float]:
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(values, (tail, 100 - tail)) if len(values) else (-1, 1)
    return float(low), float(high)


@dataclass(frozen=True, slots=True)
class Demand:
    """With which odds a score must beat what routes without having learned, and
    whether it must be surely better than a coin."""

    odds: float = SURE
    over_static: float | None = None

    def meets(self, comparison: Comparison) -> bool:
        odds = self.over_static if comparison.baseline == STATIC else self.odds
        if odds is None:
            return True
        return comparison.odds >= odds and comparison.difference > 0


Demands = tuple[Demand, ...]  # one of them is to be met
BEYOND_DOUBT = (Demand(SURE, over_static=SURE),)
# Where length says all there is, nothing can be surely better than it: a router of
# labels must know something for sure, and lose to none.
OF_LABELS = (Demand(NO_WORSE, over_static=SURE),)
OF_VOTES = (*OF_LABELS, Demand(LIKELY))
# A router of fewer votes of the same kind decides already.
OF_MORE_VOTES = (Demand(NO_WORSE),)


@dataclass(frozen=True, slots=True)
class PairReport:
    """What held-out rows say about the choice between two tiers."""

    weak: str
    strong: str
    rows: int
    gap: float  # mean quality of strong minus that of weak
    ranking: Ranking
    comparisons: tuple[Comparison, ...]

    def objections(self, demands: Demands = BEYOND_DOUBT) -> list[str]:
        """Why this router must not decide between these tiers; empty if it may.

        They are those of the last demand when none is met.
        """
        names = f"between {self.weak} and {self.strong}"
        if self.rows < MIN_ROWS:
            return [
                f"Only {self.rows} held-out rows tell {names} apart; "
                f"{MIN_ROWS} are needed."
            ]
        if self.gap <= 0:
            return [
                f"{self.strong} is not better than {self.weak} on the held-out rows: "
                "there is nothing to route for."
            ]
        unmet: list[Comparison] = []
        for demand in demands:
            unmet = [each for each in self.comparisons if not demand.meets(each)]
            if not unmet:
                break
        return [self._sentence("does not beat", each) for each in unmet]

    def losses(self) -> list[str]:
        """The baselines it is surely worse than. Of a pair that few rows tell apart, or
        whose tiers are nearly alike, chance makes it no better and this tells nothing.
        """
        return [
            self._sentence("loses to", each)
            for each in self.comparisons
            if each.high < 0
        ]

    def _sentence(self, verb: str, c: Comparison) -> str:
        return (
            f"It {verb} {c.baseline} between {self.weak} and {self.strong}: APGR "
            f"{c.apgr:.3f} against {c.baseline_apgr:.3f}, difference "
            f"{c.difference:+.3f} [{c.low:+.3f}, {c.high:+.3f}] on {self.rows} "
            "held-out rows."
        )

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def report(
    names: tuple[str, str],
    score: Floats,
    gain: Floats,
    baselines: dict[str, Floats],
) -> PairReport:
    """Compare a held-out score with every baseline on one pair of tiers."""
    gap = float(gain.mean()) if len(gain) else 0.0
    if gap <= 0 or len(gain) < MIN_ROWS:
        return PairReport(*names, len(gain), gap, Ranking(0.5, 0.5, 0.8), ())
    comparisons = tuple(
        compare(score, baseline, gain, name) for name, baseline in baselines.items()
    )
    ranking = Curve(score, gain).ranking()
    return PairReport(*names, len(gain), gap, ranking, comparisons)
