"""Who counts when somebody is away: the next best, and never nobody."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from gateway.errors import BudgetSpent
from gateway.ledger.books import Caller, RequestRecord
from gateway.limits.charges import Charges
from gateway.limits.counters import Count, CountersDown, Mark
from gateway.limits.in_memory import MemoryCounters
from routing.chat import ChatRequest, Usage
from tests.gateway.limits.samples import NOON, budget, caller


@dataclass
class Elsewhere(MemoryCounters):
    """Counters outside the process, which can be away."""

    away: bool = False
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(lambda name: 0)

    @property
    def usable(self) -> bool:
        return True

    async def reserve(self, marks: Sequence[Mark]) -> list[Count]:
        self.told.append("asked")
        if self.away:
            raise CountersDown("The test says so.")
        return await super().reserve(marks)


def record(holder: Caller) -> RequestRecord:
    chat = ChatRequest(body={}, scope="team:t", request_id="req_1")
    return RequestRecord(chat, holder, None, 0.0, "2026-11-18T00:00:00")


async def spend(charges: Charges, nano: int) -> None:
    hold = await charges.hold(record(caller(budget(100))), Usage(), nano)
    assert hold
    hold.settle(nano, 0)


async def test_the_next_counts_while_the_first_is_away():
    redis, database = Elsewhere(), Elsewhere()
    charges = Charges([redis, database], lambda name: 0, lambda: NOON, workers=2)
    await spend(charges, 10)
    assert database.told == []

    redis.away = True
    await spend(charges, 30)

    (standing,) = await charges.budgets(caller(budget(100)))
    assert standing.count == Count(30, 0)
    redis.away = False
    (standing,) = await charges.budgets(caller(budget(100)))
    assert standing.count == Count(10, 0)


async def test_alone_a_worker_has_its_share_of_what_was_left_when_last_heard_of():
    redis = Elsewhere()
    charges = Charges([redis], lambda name: 0, lambda: NOON, workers=4)
    await spend(charges, 60)
    redis.away = True

    await spend(charges, 10)
    with pytest.raises(BudgetSpent):
        await spend(charges, 1)


async def test_the_next_outage_begins_with_what_was_heard_by_then():
    redis = Elsewhere()
    charges = Charges([redis], lambda name: 0, lambda: NOON, workers=4)
    redis.away = True
    await spend(charges, 25)
    redis.away = False
    await spend(charges, 80)
    redis.away = True

    await spend(charges, 5)
    with pytest.raises(BudgetSpent):
        await spend(charges, 1)


async def test_a_worker_that_never_heard_of_a_budget_begins_from_the_books():
    charges = Charges([Elsewhere(away=True)], lambda name: 96, lambda: NOON, workers=2)

    await spend(charges, 2)
    with pytest.raises(BudgetSpent):
        await spend(charges, 1)
