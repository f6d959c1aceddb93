"""A promise with numbers: how rarely a cheaper answer is worse than the baseline's.

A request goes to a cheaper tier when the router expects the baseline to gain no more
than the tier's border. Judged pairs say which borders hold: thresholds are looked at
from the strictest up, each by the bound of Clopper and Pearson, and the last one before
the first that fails is taken (fixed-sequence testing). The thresholds are those of the
router's held-out rows and the first is chosen by the number of judgements alone, so
nothing of the sequence depends on what the judgements say.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, log

import numpy as np
from numpy.typing import NDArray

from routing.bounds import shown_below, upper_bound
from routing.counting import counted
from routing.learned.design import Floats

CONFIDENCE = 0.95
STEPS = 50  # thresholds looked at, by equal shares of the traffic
ROOM = 3  # of the first look: so many times what would do if nothing were worse
FEW = 10  # judgements expected beyond a threshold: too few to miss any
THIN = 0.25  # of what is expected there: less is a gap
MOST = 1_000_000  # judgements: more are as good as never enough

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Border:
    """Up to which gain requests go to this tier, and the judgements that show it.
    `share` of the judged requests that no cheaper tier takes lie within it."""

    tier: str
    threshold: float
    judged: int
    worse: int
    bound: float
    share: float


@dataclass(frozen=True, slots=True)
class Shortfall:
    """No border of this tier can be shown. `more` judgements are likely to do; None
    when no number of them is."""

    tier: str
    judged: int
    more: int | None

    def __str__(self) -> str:
        shown = counted(self.judged, "judgement shows", "judgements show")
        begin = f"Tier {self.tier}: {shown} no border"
        if self.more is None:
            return (
                f"{begin}, and more will not: it is worse too often even on requests "
                "that look easy."
            )
        return f"{begin}. About {counted(self.more, 'more is', 'more are')} needed."


@dataclass(frozen=True, slots=True)
class Judged:
    """Paired judgements of one tier. `gain` is what the baseline was expected to gain
    over each tier (rows x tiers), `worse` whether this tier's answer was."""

    tier: str
    gain: Floats
    worse: Bools


@dataclass(frozen=True, slots=True)
class Promise:
    """At most `limit` of the downgraded requests are worse than the baseline's."""

    limit: float
    confidence: float
    baseline: str
    borders: tuple[Border, ...]
    shortfalls: tuple[Shortfall, ...] = ()

    def named(self, names: Mapping[str, str]) -> "Promise":
        """The same, with other names of the tiers."""
        return replace(
            self,
            baseline=names[self.baseline],
            borders=tuple(replace(b, tier=names[b.tier]) for b in self.borders),
            shortfalls=tuple(replace(s, tier=names[s.tier]) for s in self.shortfalls),
        )

    def as_json(self) -> dict[str, object]:
        return {
            "limit": self.limit,
            "confidence": self.confidence,
            "baseline": self.baseline,
            "borders": [
                {name: getattr(border, name) for name in Border.__slots__}
                for border in self.borders
            ],
        }

    @classmethod
    def of_json(cls, kept: Mapping[str, object]) -> "Promise":
        """Raises KeyError, TypeError and ValueError for what is none."""
        borders = kept["borders"]
        if not isinstance(borders, list):
            raise TypeError("The borders of a promise are a list.")
        return cls(
            float(str(kept["limit"])),
            float(str(kept["confidence"])),
            str(kept["baseline"]),
            tuple(
                Border(
                    str(each["tier"]),
                    float(each["threshold"]),
                    int(each["judged"]),
                    int(each["worse"]),
                    float(each["bound"]),
                    float(each["share"]),
                )
                for each in borders
            ),
        )


def promise(
    judged: Sequence[Judged],
    held_out: Floats,
    tiers: Sequence[str],
    baseline: str,
    limit: float,
    confidence: float = CONFIDENCE,
) -> Promise:
    """Borders of the cheaper tiers, cheapest first: a tier's are shown on requests that
    no cheaper one takes. `held_out` are the gains over `tiers` of the router's rows.

    The doubt is shared out evenly, so that all borders hold at once.
    """
    each = 1 - (1 - confidence) / max(1, len(judged))
    borders: list[Border] = []
    shortfalls: list[Shortfall] = []
    for part in judged:
        column = tiers.index(part.tier)
        free = ~taken(held_out, tiers, borders)
        left = ~taken(part.gain, tiers, borders)
        found = border(
            part.tier,
            part.gain[left, column],
            part.worse[left],
            thresholds(held_out[free, column]),
            limit,
            each,
        )
        if isinstance(found, Border):
            borders.append(found)
        else:
            shortfalls.append(found)
    return Promise(limit, confidence, baseline, tuple(borders), tuple(shortfalls))


def taken(gain: Floats, tiers: Sequence[str], borders: Iterable[Border]) -> Bools:
    """The rows that a tier with a border takes."""
    rows: Bools = np.zeros(len(gain), np.bool_)
    for each in borders:
        rows |= gain[:, tiers.index(each.tier)] <= each.threshold
    return rows


def thresholds(gain: Floats) -> Floats:
    """By equal shares of the traffic, strictest first."""
    if not len(gain):
        return np.zeros(0)
    return np.quantile(gain, np.arange(1, STEPS + 1) / STEPS)


def border(
    tier: str,
    gain: Floats,
    worse: Bools,
    steps: Floats,
    limit: float,
    confidence: float,
) -> Border | Shortfall:
    """The border that the judgements show, or what is missing."""
    found = loosest(gain, worse, steps, limit, confidence)
    if found is None:
        more = missing(gain, worse, steps, limit, confidence)
        return Shortfall(tier, len(gain), more)
    wrong, judged = within(found, gain, worse)
    bound = upper_bound(wrong, judged, confidence)
    return Border(tier, found, judged, wrong, bound, judged / len(gain))


def loosest(
    gain: Floats, worse: Bools, steps: Floats, limit: float, confidence: float
) -> float | None:
    """The last threshold before the first that fails; None: already the first does."""
    found: float | None = None
    for step in range(first_step(len(gain), limit, confidence), len(steps)):
        threshold = float(steps[step])
        if not reached(threshold, 1 - (step + 1) / len(steps), gain):
            break
        if not shown_below(limit, *within(threshold, gain, worse), confidence):
            break
        found = threshold
    return found


def reached(threshold: float, beyond: float, gain: Floats) -> bool:
    """Were requests judged up to here? Where only those that went to the cheap tier
    are, few lie beyond the border of that time, and nothing is known from there on.

    `beyond` is the share of the traffic that should.
    """
    expected = beyond * len(gain)
    return expected < FEW or int((gain > threshold).sum()) >= expected * THIN


def within(threshold: float, gain: Floats, worse: Bools) -> tuple[int, int]:
    """How many of the judged within a threshold are worse, and how many there are."""
    below = gain <= threshold
    return int((below & worse).sum()), int(below.sum())


def first_step(judged: int, limit: float, confidence: float) -> int:
    """Where to begin: a share of traffic that enough judgements are expected in."""
    if not judged:
        return STEPS - 1
    least = least_judged(limit, confidence)
    wanted = min(ROOM * least, max(least, judged / 2))
    return min(STEPS - 1, ceil(wanted / judged * STEPS) - 1)


def least_judged(limit: float, confidence: float) -> int:
    """How many judgements show the limit when none of them is worse."""
    if limit <= 0:
        return MOST
    return 1 if limit >= 1 else ceil(log(1 - confidence) / log(1 - limit))


def missing(
    gain: Floats, worse: Bools, steps: Floats, limit: float, confidence: float
) -> int | None:
    """About how many more judgements would do if all goes on as so far: with them the
    first threshold, which is a stricter one then, would hold. None: never."""
    judged = total = len(gain)
    if not judged:
        return ROOM * least_judged(limit, confidence)
    while total < MOST:
        total = ceil(total * 1.05)
        first = float(steps[first_step(total, limit, confidence)])
        wrong, seen = within(first, gain, worse)
        expected = total * seen // judged
        wrong = ceil(wrong * expected / seen) if seen else 0
        if seen and shown_below(limit, wrong, expected, confidence):
            return total - judged
    return None
