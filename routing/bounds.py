"""Between which shares the truth lies, after some of so many were wrong."""

from collections.abc import Callable, Iterable
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


def shown_below(limit: float, wrong: int, judged: int, confidence: float) -> bool:
    """Is `upper_bound` at most `limit`? Without looking for where exactly it is."""
    return wrong < judged and _at_most(wrong, judged, limit) <= 1 - confidence


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
    if share <= 0 or count >= total:
        return 1.0
    if share >= 1:
        return 0.0
    odds = share / (1 - share)
    # From the term nearest to the mean outwards, so that they only get smaller.
    if count <= total * share:
        return _sum(
            _chance(count, total, share),
            (each / (total - each + 1) / odds for each in range(count, 0, -1)),
        )
    return 1 - _sum(
        _chance(count + 1, total, share),
        ((total - each) / (each + 1) * odds for each in range(count + 1, total)),
    )


def _chance(count: int, total: int, share: float) -> float:
    """The chance of exactly so many."""
    ways = lgamma(total + 1) - lgamma(count + 1) - lgamma(total - count + 1)
    return exp(ways + count * log(share) + (total - count) * log1p(-share))


def _sum(term: float, ratios: Iterable[float]) -> float:
    total = term
    for ratio in ratios:
        term *= ratio
        total += term
        if term < total * 1e-16:
            break
    return total
