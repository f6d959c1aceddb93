"""Up to which score each tier answers."""

from collections.abc import Mapping, Sequence

THREE_TIERS = (30, 70)  # what the score's signals are balanced for


def default_thresholds(ranks: Sequence[int]) -> dict[int, int]:
    """The highest score of every tier but the last: 30 and 70, else split evenly."""
    if len(ranks) == 3:
        return dict(zip(ranks, THREE_TIERS, strict=False))
    share = 100 / max(len(ranks), 1)
    return {rank: round(share * n) for n, rank in enumerate(ranks[:-1], start=1)}


def thresholds(
    ranks: Sequence[int],
    given: Mapping[int, int],
    kept: Mapping[int, int | None] | None = None,
) -> dict[int, int | None]:
    """Per tier: what the file gives, else what was kept, else the default."""
    filled = default_thresholds(ranks)
    filled |= {
        rank: score
        for rank, score in (kept or {}).items()
        if rank in filled and score is not None
    }
    filled |= {rank: score for rank, score in given.items() if rank in filled}
    return {rank: filled.get(rank) for rank in ranks}


def not_rising(bounds: Mapping[int, int | None]) -> str:
    """A sentence when a tier would never be chosen, else an empty string."""
    finite = [(rank, score) for rank, score in bounds.items() if score is not None]
    for (low, low_score), (high, high_score) in zip(finite, finite[1:], strict=False):
        if high_score <= low_score:
            return (
                f"tier{low}_max is {low_score} and tier{high}_max is {high_score} "
                "(defaults count too), but thresholds must rise with the tier"
            )
    return ""
