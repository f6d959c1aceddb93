"""Counters in memory, compared with a plain sum over any history."""

import asyncio

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.limits.counters import Count, Full, Mark
from gateway.limits.in_memory import MemoryCounters, ShareCounters
from gateway.limits.windows import Window, window
from tests.gateway.limits.samples import mark

LIMITS = {"key:1": 100, "team:1": 150}


class Reservations(RuleBasedStateMachine):
    """Any order of setting aside, settling and crashing, against plain sums."""

    def __init__(self) -> None:
        super().__init__()
        self.counters = MemoryCounters(lambda name: 0)
        self.open: list[list[Mark]] = []
        self.spent = dict.fromkeys(LIMITS, 0)
        self.lost = dict.fromkeys(LIMITS, 0)

    def used(self, subject: str) -> int:
        held = [
            m.amount for marks in self.open for m in marks if subject_of(m) == subject
        ]
        return self.spent[subject] + self.lost[subject] + sum(held)

    @rule(
        amount=st.integers(0, 120),
        subjects=st.sets(st.sampled_from(sorted(LIMITS)), min_size=1),
    )
    def reserve(self, amount: int, subjects: set[str]) -> None:
        marks = [mark(amount, LIMITS[each], each) for each in sorted(subjects)]
        fits = all(self.used(each) + amount <= LIMITS[each] for each in subjects)
        try:
            counts = asyncio.run(self.counters.reserve(marks))
        except Full as full:
            assert not fits
            assert full.count.used == self.used(subject_of(full.mark))
            return
        assert fits
        self.open.append(marks)
        assert [count.used for count in counts] == [
            self.used(s) for s in sorted(subjects)
        ]

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        """A call never costs more than was set aside for it."""
        marks = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
        cost = data.draw(st.integers(0, marks[0].amount))
        self.counters.settle(marks, [cost] * len(marks))
        for each in marks:
            self.spent[subject_of(each)] += cost

    @precondition(lambda self: self.open)
    @rule()
    def lose(self) -> None:
        """Nobody ever settles it: it stays as it was set aside."""
        for each in self.open.pop():
            self.lost[subject_of(each)] += each.amount

    @invariant()
    def never_above_the_limit(self) -> None:
        looked_at = [mark(0, subject=each) for each in LIMITS]
        counts = asyncio.run(self.counters.reserve(looked_at))
        for subject, count in zip(LIMITS, counts, strict=True):
            assert count.used == self.used(subject) <= LIMITS[subject]
            assert count.spent == self.spent[subject]


def subject_of(of: Mark) -> str:
    return of.rule.subject


Reservations.TestCase.settings = settings(max_examples=60, stateful_step_count=30)


TestReservations = Reservations.TestCase


async def test_a_new_window_begins_empty_and_late_settlements_stay_in_theirs():
    counters = MemoryCounters(lambda name: 0)
    today = mark(60)
    tomorrow = Mark(today.rule, next_day(today), 70, 100)
    await counters.reserve([today])
    await counters.reserve([tomorrow])
    counters.settle([today], [60])

    assert await counters.reserve([Mark(today.rule, next_day(today))]) == [Count(0, 70)]


def next_day(of: Mark) -> Window:
    return window("day", of.rule.zone, of.window.end)


async def test_a_process_that_starts_goes_on_from_the_books():
    spent = {mark(0).name: 40}
    counters = MemoryCounters(lambda name: spent.get(name, 0))

    with pytest.raises(Full):
        await counters.reserve([mark(61)])
    assert await counters.reserve([mark(60)]) == [Count(40, 60)]


async def test_a_worker_on_its_own_has_its_share_of_what_was_left():
    counters = ShareCounters(lambda name: 40, workers=4)

    with pytest.raises(Full):
        await counters.reserve([mark(16)])
    assert await counters.reserve([mark(15)]) == [Count(40, 15)]
