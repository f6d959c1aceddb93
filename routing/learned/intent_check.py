"""Whether choosing by intents beats static tiers, by simulation on judged prompts."""

import numpy as np

from routing.learned.evaluate import STATIC, PairReport, report
from routing.learned.intents import Intents
from routing.learned.labelled import HEURISTIC, Labelled
from routing.learned.measure import pairs_of
from routing.learned.trails import simulate


def check(intents: Intents, labelled: Labelled) -> PairReport:
    """Trails laid by one half rank the other half between the worst and best tier.

    Static tiers send any share of requests up without looking at them; what knows more
    than that must beat them, and the heuristic's thresholds too.
    """
    weak, strong = pairs_of(labelled.quality)[0]
    worth, rows = simulate(intents.mixtures(labelled.rows), labelled.quality)
    gain = (labelled.quality[:, strong] - labelled.quality[:, weak])[rows]
    known = np.flatnonzero(~np.isnan(gain))
    score = (worth[:, strong] - worth[:, weak])[known]
    baselines = {
        STATIC: np.zeros(len(known)),
        HEURISTIC: labelled.baselines[HEURISTIC][rows][known],
    }
    names = labelled.tiers[weak], labelled.tiers[strong]
    return report(names, score, gain[known], baselines)
