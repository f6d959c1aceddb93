"""Paired judgements, stored or from a file, as a promise is calibrated on."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from routing.learned.features import Row, prompt_of, row_of
from routing.learned.promise import Judged
from routing.models import Judgement

if TYPE_CHECKING:
    from routing.learned.dataset import Example
    from routing.learned.design import Floats
    from routing.learned.model import QualityModel

NEWEST = 20_000  # judgements looked at


@dataclass(slots=True)
class Column:
    """The judgements of one tier, while they are read."""

    quality: "list[Floats]" = field(default_factory=list)
    worse: list[bool] = field(default_factory=list)

    def judged(self, tier: str, baseline: int) -> Judged:
        quality = np.array(self.quality)
        gain = quality[:, [baseline]] - quality
        return Judged(tier, gain, np.array(self.worse, np.bool_))


def stored(
    model: "QualityModel", columns: dict[int, int], baseline: int
) -> list[Judged]:
    """Those in the database. `columns` says where the model keeps each tier's rank,
    cheapest first; what no longer fits its features tells nothing."""
    found = {rank: Column() for rank in columns if rank < baseline}
    newest = Judgement.objects.filter(
        baseline_tier=baseline, cheap_tier__in=found
    ).order_by("-id")[:NEWEST]
    for rank, packed, verdict in newest.values_list("cheap_tier", "row", "verdict"):
        try:
            row = Row.unpack(bytes(packed))
        except ValueError:
            continue
        found[rank].quality.append(model.predict(row))
        found[rank].worse.append(verdict == Judgement.Verdict.WORSE)
    return [
        column.judged(model.tiers[columns[rank]], columns[baseline])
        for rank, column in found.items()
        if column.worse
    ]


def from_lines(
    examples: "Iterable[Example]",
    model: "QualityModel",
    cheap: list[str],
    baseline: str,
) -> list[Judged]:
    """Of each line that judges the baseline: which cheaper tiers were worse."""
    found = {tier: Column() for tier in cheap}
    for example in examples:
        quality = example.quality
        known = [tier for tier in cheap if tier in quality and baseline in quality]
        if not known:
            continue
        predicted = model.predict(row_of(prompt_of(example.body)))
        for tier in known:
            found[tier].quality.append(predicted)
            found[tier].worse.append(quality[tier] < quality[baseline])
    place = model.tiers.index(baseline)
    return [c.judged(tier, place) for tier, c in found.items() if c.worse]
