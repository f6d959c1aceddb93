"""Judged prompts, as routers are trained on them: feature rows, no text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from routing.classifier import classify
from routing.features import extract
from routing.learned.design import Floats
from routing.learned.features import Row, prompt_of, row_of
from routing.learned.model import MAX_TIERS

MIN_TRAINING_ROWS = 50
MAX_TRAINING_ROWS = 200_000
HEURISTIC, LENGTH = "the heuristic", "log(length)"


class TooLittle(ValueError):
    """There is nothing to learn from; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """Rows with their judged qualities, and what the router has to beat.

    `quality` is NaN where a tier wasn't judged. `propensity` is the probability with
    which the judged tier was chosen, NaN where several were judged.
    """

    tiers: tuple[str, ...]
    rows: Sequence[Row]
    quality: Floats
    baselines: Mapping[str, Floats]
    weight: Floats
    propensity: Floats

    def take(self, places: NDArray[np.intp]) -> "Labelled":
        return Labelled(
            self.tiers,
            [self.rows[place] for place in places.tolist()],
            self.quality[places],
            {name: values[places] for name, values in self.baselines.items()},
            self.weight[places],
            self.propensity[places],
        )


class Collector:
    """Takes in examples one by one; keeps their feature rows and no text."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._quality: list[Mapping[str, float]] = []
        self._heuristic: list[float] = []
        self._length: list[float] = []

    def add(self, body: Mapping[str, Any], quality: Mapping[str, float]) -> None:
        if len(self._rows) >= MAX_TRAINING_ROWS:
            raise TooLittle(f"More than {MAX_TRAINING_ROWS} rows: give a sample.")
        prompt = prompt_of(body)
        self._rows.append(row_of(prompt))
        self._quality.append(quality)
        self._heuristic.append(classify(extract(dict(body))).value)
        self._length.append(np.log1p(prompt.characters))

    def labelled(self) -> Labelled:
        """Raises TooLittle when there is nothing to learn from."""
        rows = len(self._rows)
        if rows < MIN_TRAINING_ROWS:
            raise TooLittle(
                f"There are {rows} rows; at least {MIN_TRAINING_ROWS} are needed."
            )
        tiers = ordered_tiers(self._quality)
        if not 2 <= len(tiers) <= MAX_TIERS:
            raise TooLittle(
                f"The rows name {len(tiers)} tiers; a router chooses between 2 to "
                f"{MAX_TIERS}."
            )
        quality = np.array(
            [[known.get(tier, np.nan) for tier in tiers] for known in self._quality]
        )
        baselines = {
            HEURISTIC: np.array(self._heuristic, np.float64),
            LENGTH: np.array(self._length),
        }
        unknown = np.full(rows, np.nan)
        weight = np.ones_like(quality)
        return Labelled(tiers, self._rows, quality, baselines, weight, unknown)


def ordered_tiers(qualities: Sequence[Mapping[str, float]]) -> tuple[str, ...]:
    """Numbers by their value, other names by their mean quality."""
    sums: dict[str, list[float]] = {}
    for known in qualities:
        for tier, value in known.items():
            total = sums.setdefault(tier, [0.0, 0.0])
            total[0] += value
            total[1] += 1
    if all(tier.isdecimal() for tier in sums):
        return tuple(sorted(sums, key=lambda tier: (int(tier), tier)))
    return tuple(sorted(sums, key=lambda tier: (sums[tier][0] / sums[tier][1], tier)))
