"""From predicted qualities and prices to a tier, and from an operator's wish to a rate.

The tier of a request is the one of the highest utility, `quality - rate x cost`. The
rate (quality per nano-USD) is what the operator's target fixes: the highest that keeps
the expected loss of quality, or the lowest that keeps the share of the top tier.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from routing.learned.design import Floats

Kind = Literal["max_loss", "top_share", "max_worse"]
HALVINGS = 40
DEFAULT_MAX_LOSS = 0.02


@dataclass(frozen=True, slots=True)
class Target:
    """At most `value` of quality lost, or of the requests sent to the top tier, or of
    the downgraded requests worse than the baseline (routing.learned.promise)."""

    kind: Kind = "max_loss"
    value: float = DEFAULT_MAX_LOSS


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests that a target is solved on. Tiers are columns, the top one last.

    `quality` is what each tier is expected to give, `cost` what it would cost there.
    """

    quality: Floats
    cost: Floats

    def choose(self, rate: float) -> NDArray[np.intp]:
        """The column of each request; of equals the cheaper one."""
        utility = self.quality - rate * self.cost
        best = utility.max(axis=1, keepdims=True)
        cost = np.where(utility >= best, self.cost, np.inf)
        return cost.argmin(axis=1)

    def resample(self, drawn: NDArray[np.intp]) -> "Traffic":
        return Traffic(self.quality[drawn], self.cost[drawn])


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a rate does to the traffic it was solved on.

    `loss` is relative to sending everything to the top tier; below zero it is a gain.
    `cost` is a share of what that would cost.
    """

    rate: float
    top_share: float
    loss: float
    cost: float


def outlook(traffic: Traffic, rate: float) -> Outlook:
    return outlook_of(traffic, traffic.choose(rate), rate)


def outlook_of(traffic: Traffic, chosen: NDArray[np.intp], rate: float) -> Outlook:
    """What comes of sending each request to this column."""
    rows, top = np.arange(len(chosen)), traffic.quality.shape[1] - 1
    best = float(traffic.quality[:, top].sum())
    kept = float(traffic.quality[rows, chosen].sum())
    dearest = float(traffic.cost[:, top].sum())
    paid = float(traffic.cost[rows, chosen].sum())
    return Outlook(
        rate,
        top_share=float((chosen == top).mean()),
        loss=(best - kept) / best if best else 0.0,
        cost=paid / dearest if dearest else 1.0,
    )


def solve(traffic: Traffic, target: Target) -> Outlook:
    """The rate for a target, and what it does. Both fall with a rising rate."""
    low, high = 0.0, steepest(traffic)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        seen = outlook(traffic, middle)
        if target.kind == "max_loss":
            enough = seen.loss > target.value  # so high that too much is lost
        else:
            enough = seen.top_share <= target.value
        low, high = (low, middle) if enough else (middle, high)
    return outlook(traffic, low if target.kind == "max_loss" else high)


def steepest(traffic: Traffic) -> float:
    """A rate at which nothing but the cost matters."""
    ordered = np.sort(traffic.cost, axis=1)
    steps = np.diff(ordered, axis=1)
    steps = steps[steps > 0]
    return 2.0 / float(steps.min()) if len(steps) else 1.0
