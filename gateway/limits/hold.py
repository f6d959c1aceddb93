"""What one attempt has set aside."""

from collections.abc import Sequence

from gateway.limits.counters import Counters, Mark
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
        """For the journal: what its heir needs when this process is gone."""
        marks = [(mark.name, mark.rule.kind, mark.amount) for mark in self._marks]
        return {"hold": self._marks[0].hold, "marks": marks}
