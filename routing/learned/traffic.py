"""A sample of one's own traffic, as a router sees it: sizes and predicted qualities."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.learned.evaluate import interval
from routing.learned.features import Row
from routing.learned.model import NotAModel, QualityModel
from routing.learned.targets import Outlook, Traffic, outlook

MIN_REQUESTS = 500  # below it an interval is too wide to set a target by
RESAMPLES = 200


@dataclass(frozen=True, slots=True)
class Seen:
    """`tokens` of each prompt, and the quality predicted for each tier of the model."""

    tokens: NDArray[np.float32]
    quality: NDArray[np.float32]  # requests x tiers

    @classmethod
    def of(cls, model: QualityModel, rows: Sequence[Row], tokens: list[int]) -> "Seen":
        quality = model.predict_all(rows).astype(np.float32)
        return cls(np.array(tokens, np.float32), quality)

    def dump(self) -> bytes:
        return np.column_stack((self.tokens, self.quality)).astype("<f4").tobytes()

    @classmethod
    def load(cls, data: bytes, tiers: int) -> "Seen":
        """Raises NotAModel for bytes that are no sample of this many tiers."""
        if len(data) % (4 * (1 + tiers)):
            raise NotAModel("The stored sample of its traffic is damaged.")
        table = np.frombuffer(data, "<f4").reshape(-1, 1 + tiers)
        if not np.isfinite(table).all() or (table[:, 0] < 0).any():
            raise NotAModel("The stored sample of its traffic is damaged.")
        return cls(table[:, 0], table[:, 1:])


@dataclass(frozen=True, slots=True)
class Intervals:
    """What a rate does, each number with its 95 % interval over requests."""

    seen: Outlook
    top_share: tuple[float, float]
    loss: tuple[float, float]
    cost: tuple[float, float]


def intervals(traffic: Traffic, seen: Outlook) -> Intervals:
    """How far the outlook would differ for other requests of the same kind."""
    random = np.random.default_rng(0)
    rows = len(traffic.quality)
    drawn = [
        outlook(traffic.resample(random.integers(0, rows, rows)), seen.rate)
        for _ in range(RESAMPLES)
    ]
    return Intervals(
        seen,
        interval(np.array([each.top_share for each in drawn])),
        interval(np.array([each.loss for each in drawn])),
        interval(np.array([each.cost for each in drawn])),
    )


def border_for(scores: Sequence[int], share: float) -> int:
    """The lowest border that at most this share of the scores lies above."""
    values = np.array(scores)
    borders = np.arange(0, 101)
    above = (values[:, None] > borders).mean(axis=0)
    return int(borders[np.argmax(above <= share)])


def share_above(scores: Sequence[int], border: int) -> tuple[float, ...]:
    """The share of scores above a border, and its 95 % interval."""
    above = np.array(scores) > border
    random = np.random.default_rng(0)
    count = len(above)
    drawn = random.binomial(count, above.mean(), RESAMPLES) / count
    return float(above.mean()), *interval(drawn)
