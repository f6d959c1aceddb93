"""What held-out rows say about a router: ranking between tiers, calibration."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from routing.learned import evaluate
from routing.learned.design import Floats
from routing.learned.evaluate import STATIC, Demands, PairReport
from routing.learned.labelled import Labelled
from routing.learned.ridge import mostly_lone

BINS = 10


def pairs_of(quality: Floats) -> list[tuple[int, int]]:
    """The worst and best tier of each group judged on the same rows, largest first.

    Where of most rows one answer was judged: the lowest tier and the highest.
    """
    known = ~np.isnan(quality)
    tiers = np.flatnonzero(known.any(axis=0))
    ends = (int(tiers[0]), int(tiers[-1]))
    if mostly_lone(quality):
        return [ends]
    patterns, counts = np.unique(known, axis=0, return_counts=True)
    pairs: dict[tuple[int, int], int] = {}
    for pattern, count in zip(patterns, counts, strict=True):
        judged = np.flatnonzero(pattern)
        if len(judged) > 1:
            rows = known[:, judged].all(axis=1)
            means = quality[rows][:, judged].mean(axis=0)
            weak, strong = judged[means.argmin()], judged[means.argmax()]
            if weak != strong:
                pair = (int(weak), int(strong))
                pairs[pair] = pairs.get(pair, 0) + int(count)
    if not pairs:  # all tiers are equally good
        return [ends]
    return sorted(pairs, key=lambda pair: -pairs[pair])


def report_on(
    pair: tuple[int, int], predicted: Floats, labelled: Labelled
) -> PairReport:
    """Held-out ranking between two tiers, on rows that tell something about both."""
    weak, strong = pair
    gain = gains(pair, predicted, labelled)
    known = np.flatnonzero(~np.isnan(gain))
    score = predicted[known, strong] - predicted[known, weak]
    names = labelled.tiers[weak], labelled.tiers[strong]
    baselines = {name: v[known] for name, v in labelled.baselines.items()}
    baselines[STATIC] = np.zeros(len(known))
    return evaluate.report(names, score, gain[known], baselines)


def gains(pair: tuple[int, int], predicted: Floats, labelled: Labelled) -> Floats:
    """What the strong tier gave more than the weak one, NaN where nothing tells.

    Where one answer was judged, an estimate that is right on average: the predicted
    gain, corrected by that answer's surprise over the chance that it was chosen.
    """
    weak, strong = pair
    quality, chance = labelled.quality, labelled.propensity
    surprise = quality - predicted
    gap = predicted[:, strong] - predicted[:, weak]
    both = quality[:, strong] - quality[:, weak]
    if_strong = gap + surprise[:, strong] / chance
    if_weak = gap - surprise[:, weak] / chance
    single = np.where(np.isnan(if_strong), if_weak, if_strong)
    result: Floats = np.where(np.isnan(both), single, both)
    return result


def metrics_of(
    labelled: Labelled,
    predicted: Floats,
    reports: Sequence[PairReport],
    demands: Demands,
) -> dict[str, Any]:
    """What is kept with the router and shown beside it.

    It must show itself on the pair that most rows judge, and lose on none.
    """
    first, *others = reports
    columns = zip(labelled.tiers, predicted.T, labelled.quality.T, strict=True)
    return {
        "rows": len(labelled.rows),
        "tiers": {tier: calibration(said, came) for tier, said, came in columns},
        "pair": [first.weak, first.strong],
        "pairs": [report.as_json() for report in reports],
        "objections": [
            *first.objections(demands),
            *(text for each in others for text in each.losses()),
        ],
    }


def calibration(said: Floats, came: Floats) -> dict[str, float]:
    """Of one tier: rows, mean quality, and how far off what was said is, by tenths."""
    known = np.flatnonzero(~np.isnan(came))
    if not len(known):
        return {"rows": 0, "mean": 0.0, "error": 0.0}
    order = known[np.argsort(said[known], kind="stable")]
    off = sum(
        abs(float(said[part].mean() - came[part].mean())) * len(part)
        for part in np.array_split(order, BINS)
        if len(part)
    )
    return {
        "rows": len(known),
        "mean": round(float(came[known].mean()), 4),
        "error": round(off / len(known), 4),
    }
