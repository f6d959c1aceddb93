"""What was measured, beside the bar, as a table for people and JSON for later."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Literal

from benchmarks.machine import facts


@dataclass(frozen=True)
class Bar:
    """What a value should be. `aim` is what we would like beyond it."""

    value: float
    better: Literal["higher", "lower"]
    aim: float | None = None

    def is_met(self, value: float) -> bool:
        if self.better == "higher":
            return value >= self.value
        return value <= self.value

    def __str__(self) -> str:
        sign = ">=" if self.better == "higher" else "<="
        aim = f" (aim {self.aim:g})" if self.aim is not None else ""
        return f"{sign} {self.value:g}{aim}"


@dataclass(frozen=True)
class Measure:
    """One line of the table: the median of `values`, one per interleaved round.

    `ours` and `theirs` tell the absolute numbers, which mean little elsewhere.
    """

    row: str
    what: str
    values: Sequence[float]
    unit: str = "x"
    bar: Bar | None = None
    ours: str = ""
    theirs: str = ""
    details: Mapping[str, object] = field(default_factory=dict)

    @property
    def value(self) -> float:
        return median(self.values)

    @property
    def met(self) -> bool | None:
        return self.bar.is_met(self.value) if self.bar else None

    def cells(self) -> tuple[str, ...]:
        spread = f"{min(self.values):.2f} to {max(self.values):.2f}"
        verdict = {True: "yes", False: "NO", None: ""}[self.met]
        return (
            self.row,
            self.what,
            self.ours,
            self.theirs,
            f"{self.value:.2f} {self.unit}",
            spread if len(self.values) > 1 else "",
            str(self.bar or ""),
            verdict,
        )


HEADINGS = (
    "row",
    "what",
    "llm-router",
    "compared with",
    "median",
    "min to max",
    "bar",
    "met",
)


def table(measures: Sequence[Measure]) -> str:
    """A Markdown table, aligned so that it also reads well in a terminal."""
    lines = [HEADINGS, *(measure.cells() for measure in measures)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, tuple("-" * width for width in widths))
    padded = (
        [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        for line in lines
    )
    return "\n".join(f"| {' | '.join(cells)} |" for cells in padded)


def write_json(
    path: Path, measures: Sequence[Measure], failures: Mapping[str, str], tools: str
) -> None:
    results = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": facts(),
        "tools": tools,
        "measures": [
            {**asdict(measure), "median": measure.value, "met": measure.met}
            for measure in measures
        ],
        "not_measured": dict(failures),
    }
    path.write_text(json.dumps(results, indent=1) + "\n")
