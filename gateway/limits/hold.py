"""What one attempt has set aside."""

from collections.abc import Sequence
from typing import NamedTuple

from gateway.limits.counters import CommonCounters, Counters, Mark
from routing.chat import Json


class Hold:
    """What is set aside for one attempt; `settle` gives it back, once."""

    __slots__ = ("_counters", "_marks", "_settled", "nano")

    def __init__(self, counters: Counters, marks: Sequence[Mark], nano: int) -> None:
        self._counters = counters
        self._marks = marks
        self._settled = False
        self.nano = nano

    def settle(self, cost_nano: int, tokens: int) -> None:
        if self._settled:
            return
        self._settled = True
        came_to = [cost_nano if m.rule.is_budget else tokens for m in self._marks]
        self._counters.settle(self._marks, came_to)

    @property
    def written(self) -> Json:
        """For the journal: what `inherit` needs when this process is gone."""
        marks = [(mark.name, mark.rule.kind, mark.amount) for mark in self._marks]
        return {"hold": self._marks[0].hold, "marks": marks}


class Inherited(NamedTuple):
    """What a process that is gone had set aside in one counter."""

    name: str
    amount: int
    hold: str


def inherit(attempt: Json, counters: CommonCounters) -> None:
    """Settle what an attempt's last line in the journal says was set aside for it,
    unless the process that is gone has done so."""
    aside = attempt["aside"]
    tokens = attempt["prompt_tokens"] + attempt.get("completion_tokens", 0)
    counters.inherit(
        [Inherited(name, amount, aside["hold"]) for name, _, amount in aside["marks"]],
        [
            attempt["cost_nano"] if kind == "usd" else tokens
            for _, kind, _ in aside["marks"]
        ],
    )
