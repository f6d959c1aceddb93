"""Between which shares the truth lies, after some of so many were wrong."""

from collections.abc import Callable
from math import exp, lgamma, log, log1p

CONFIDENCE = 0.95  # of a bound, one-sided
STEPS = 60  # halvings: below what a float can tell


def upper_bound(wrong: int, judged: int, confidence: float = CONFIDENCE) -> float:
    """Clopper-Pearson: with this confidence the true share of wrong ones is below."""
    if wrong >= judged:
        return 1.0
    # The share at which so few wrong ones would be this unlikely.
    return _share_where(lambda share: _at_most(wrong, judged, share) > 1 - confidence)


def lower_bound(wrong: int, judged: int) -> float:
    """With the same confidence the true share is above."""
    if not wrong:
        return 0.0
    return _share_where(
        lambda share: 1 - _at_most(wrong - 1, judged, share) < 1 - CONFIDENCE
    )


def _share_where(still_below: Callable[[float], bool]) -> float:
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        if still_below(middle):
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _at_most(count: int, total: int, share: float) -> float:
    """The chance of at most `count` in `total` when each has the chance `share`."""
    if share <= 0:
        return 1.0
    yes, no = log(share), log1p(-share)
    return sum(
        exp(
            lgamma(total + 1)
            - lgamma(each + 1)
            - lgamma(total - each + 1)
            + each * yes
            + (total - each) * no
        )
        for each in range(count + 1)
    )
