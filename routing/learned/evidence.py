"""What was seen of requests and thought of their answers, as rows to learn from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from routing.learned.features import CUES, Row
from routing.learned.labelled import (
    HEURISTIC,
    LENGTH,
    MIN_TRAINING_ROWS,
    Labelled,
    TooLittle,
)

FULL_TRUST = 1.0
# A rare choice stands for the many that were not made, within reason.
MOST_WEIGHT = 5.0
CHARACTERS = CUES.index("characters")


@dataclass(frozen=True, slots=True)
class Judgement:
    """The quality of one tier's answer, 0 to 1, and how far it is believed, 0 to 1."""

    quality: float
    trust: float = FULL_TRUST


@dataclass(frozen=True, slots=True)
class Evidence:
    """One request: `chance` is the probability with which `tier` was to answer it."""

    row: Row
    tier: int
    chance: float
    heuristic: float
    judged: Mapping[int, Judgement]


def labelled(evidence: Sequence[Evidence], tiers: Sequence[int]) -> Labelled:
    """Rows to train on, judgements weighted by trust and by one over their chance.

    Raises TooLittle when there is nothing to learn from.
    """
    if len(evidence) < MIN_TRAINING_ROWS:
        raise TooLittle(
            f"There are {len(evidence)} judged requests; at least "
            f"{MIN_TRAINING_ROWS} are needed."
        )
    shape = (len(evidence), len(tiers))
    quality, weight = np.full(shape, np.nan), np.ones(shape)
    propensity = np.full(len(evidence), np.nan)
    for place, each in enumerate(evidence):
        lone = len(each.judged) == 1
        share = min(1 / (len(tiers) * each.chance), MOST_WEIGHT) if lone else 1.0
        for tier, judgement in each.judged.items():
            column = tiers.index(tier)
            quality[place, column] = judgement.quality
            weight[place, column] = judgement.trust * share
            # What is half believed teaches, but proves nothing.
            if lone and judgement.trust >= FULL_TRUST:
                propensity[place] = each.chance
    if (~np.isnan(quality)).any(axis=0).sum() < 2:
        raise TooLittle("Answers of one tier only were judged.")
    baselines = {
        HEURISTIC: np.array([each.heuristic for each in evidence], np.float64),
        LENGTH: np.array([each.row.cues[CHARACTERS] for each in evidence], np.float64),
    }
    return Labelled(
        tuple(map(str, tiers)),
        [each.row for each in evidence],
        quality,
        baselines,
        weight,
        propensity,
    )
