"""The same requests under two configurations: the one that serves, and another one.

    as it was    what the log says
    saved        decided again by the configuration that serves now
    preview      decided by the one that is not saved yet

While nothing has changed since, the first two are equal: that is the proof that the
third one means something.
"""

import heapq
from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from gateway.whatif.replay import NOWHERE, Decision, Replay
from gateway.whatif.reuse import Reuse, same_rules
from gateway.whatif.rows import Row
from routing.catalog import Catalog
from routing.chat import Usage
from routing.pricing import cost_nano

EXAMPLES = 20
REMEMBERED = 50_000  # purchases that a later request may have shared
CACHED, NOT_SERVED = "cache", "refused"  # places beside the tiers


class Outcome(NamedTuple):
    """Where a request goes and what it costs, in nano-USD; None without a price."""

    place: int | str
    backend: str
    nano: int | None


@dataclass(slots=True)
class Sums:
    """Of all requests, in one of the three configurations."""

    requests: Counter[int | str] = field(default_factory=Counter)
    nano: Counter[int | str] = field(default_factory=Counter)
    unpriced: int = 0

    def add(self, outcome: Outcome) -> None:
        self.requests[outcome.place] += 1
        self.nano[outcome.place] += outcome.nano or 0
        self.unpriced += outcome.nano is None

    @property
    def total_nano(self) -> int:
        return self.nano.total()


@dataclass(frozen=True, slots=True)
class Example:
    """A request that would go another way."""

    pk: int
    request_id: str
    at: datetime
    saved: Outcome
    preview: Outcome

    @property
    def difference_nano(self) -> int:
        return (self.preview.nano or 0) - (self.saved.nano or 0)


class Comparison:
    """Add every row, in the order of the log; then read the sums."""

    def __init__(self, saved: Catalog, preview: Catalog) -> None:
        self.was, self.saved, self.preview = Sums(), Sums(), Sums()
        self.rows = 0
        self.held = 0  # too old to be decided again, or never answered: as they were
        self.moved = 0  # by the saved configuration: it is not the one of then
        self.changed = 0
        self.hits_gained = self.hits_lost = 0
        self.meanings_unknown = 0
        self._replays = Replay(saved), Replay(preview)
        self._unchanged = {b.name for b in preview.backends if b in saved.backends}
        self._caches: tuple[Reuse, Reuse] | None = None
        if not same_rules(saved.policy, preview.policy):
            self._caches = Reuse(saved.policy), Reuse(preview.policy)
        # Who answered whom: of requests whose answer was used again.
        self._bought: OrderedDict[str, tuple[Outcome, Outcome]] = OrderedDict()
        self._examples: list[tuple[int, int, Example]] = []

    def add(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._add(row)

    @property
    def examples(self) -> list[Example]:
        """Those that make most of a difference, the largest first."""
        return [each for _, _, each in sorted(self._examples, reverse=True)]

    def _add(self, row: Row) -> None:
        self.rows += 1
        was = self._as_it_was(row)
        if row.bought:
            saved, preview = self._decided(row)
            self._remember(row, saved, preview)
        else:
            saved = preview = was
            self.held += not (row.served and row.cache in ("HIT", "SHARED"))
            if row.cache == "SHARED" and row.answered_by in self._bought:
                saved, preview = self._shared(*self._bought[row.answered_by])
        if self._caches:
            preview = self._reused(row, saved, preview, self._caches)
        self.moved += was != saved
        self.was.add(was)
        self.saved.add(saved)
        self.preview.add(preview)
        if saved != preview:
            self._note(row, saved, preview)

    def _remember(self, row: Row, saved: Outcome, preview: Outcome) -> None:
        self._bought[row.request_id] = saved, preview
        if len(self._bought) > REMEMBERED:
            self._bought.popitem(last=False)

    def _shared(self, *bought: Outcome) -> list[Outcome]:
        """Of a call that another one paid, as far as calls are shared."""
        pairs = zip(bought, self._replays, strict=True)
        return [
            free(each) if replay.policy.sharing_enabled else each
            for each, replay in pairs
        ]

    def _as_it_was(self, row: Row) -> Outcome:
        place: int | str = row.tier or NOT_SERVED
        if not row.served:
            place = NOT_SERVED
        elif row.cache == "HIT":
            place = CACHED
        nano = None if "unpriced" in row.decided.facts else row.cost_nano
        return Outcome(place, row.decided.backend, nano)

    def _decided(self, row: Row) -> tuple[Outcome, Outcome]:
        """What failed or was thrown away costs what it did, and so do checks while
        there are any; the rest is priced anew."""
        one, other = (replay.decide(row.decided) for replay in self._replays)
        saved = outcome_of(one, row, beside(one, row))
        same = one.backend and other.backend and one.backend.name == other.backend.name
        if same and saved.backend in self._unchanged and one.checked == other.checked:
            return saved, saved
        return saved, outcome_of(other, row, beside(other, row))

    def _reused(
        self,
        row: Row,
        saved: Outcome,
        preview: Outcome,
        caches: tuple[Reuse, Reuse],
    ) -> Outcome:
        """The preview's outcome, with a hit gained or lost where the caches differ."""
        facts = row.decided.facts
        if not row.served or not facts:
            return preview
        self.meanings_unknown += "meaning" not in facts
        at = row.at.timestamp()
        was_hit, is_hit = (cache.ask(facts, at) for cache in caches)
        if is_hit and not was_hit and row.bought:
            self.hits_gained += 1
            return Outcome(CACHED, saved.backend, 0)
        # What was bought before these days is unknown here, but it was a hit; it is
        # none where no stored answer counts any more.
        gone = was_hit or not caches[1].counts(facts)
        if row.cache == "HIT" and not is_hit and gone:
            self.hits_lost += 1
            return self._bought_again(row)
        return preview

    def _bought_again(self, row: Row) -> Outcome:
        """A stored answer that is not there: as its own request went, if that is
        known."""
        if row.answered_by in self._bought:
            return self._bought[row.answered_by][1]
        backend = self._replays[1].catalog.by_name.get(row.decided.backend)
        decision = Decision(backend.tier, backend) if backend else NOWHERE
        return outcome_of(decision, row, 0)

    def _note(self, row: Row, saved: Outcome, preview: Outcome) -> None:
        self.changed += 1
        example = Example(row.pk, row.request_id, row.at, saved, preview)
        entry = (abs(example.difference_nano), row.pk, example)
        if len(self._examples) < EXAMPLES:
            heapq.heappush(self._examples, entry)
        else:
            heapq.heappushpop(self._examples, entry)


def beside(decision: Decision, row: Row) -> int:
    """Nano-USD of the calls that were not served."""
    facts = row.decided.facts
    checks: int = 0 if decision.checked else facts.get("checks", 0)
    return row.cost_nano - facts["paid"] - checks


def outcome_of(decision: Decision, row: Row, beside: int) -> Outcome:
    """Priced by the tokens that were used. Another backend's prompt cache is cold."""
    backend, usage = decision.backend, row.usage
    if backend is None or decision.tier is None:
        return Outcome(NOT_SERVED, "", beside)
    if backend.name != row.decided.backend:
        usage = Usage(usage.prompt, usage.completion)
    nano = None if backend.price is None else beside + cost_nano(usage, backend.price)
    return Outcome(decision.tier, backend.name, nano)


def free(outcome: Outcome) -> Outcome:
    """Who shares a call pays nothing for it."""
    return Outcome(outcome.place, outcome.backend, 0)
