"""Settlements reach their counters, also when nobody settles after them."""

import asyncio
from collections.abc import Sequence

from gateway.limits.counters import CountersDown, Mark
from gateway.limits.settling import Settling
from tests.gateway.limits.samples import mark


class Counting:
    """Takes settlements, unless it is away."""

    def __init__(self) -> None:
        self.away = True
        self.asked = asyncio.Event()
        self.taken: list[Sequence[int]] = []

    async def settle(self, marks: Sequence[Mark], spent: Sequence[int]) -> None:
        self.asked.set()
        if self.away:
            raise CountersDown("The test says so.")
        self.taken.append(spent)


async def test_what_nobody_took_is_made_when_somebody_does_without_a_call_after_it():
    counting = Counting()
    settling = Settling(counting.settle)
    settling.add([mark(60)], [12])
    settling.add([mark(5)], [5])
    await counting.asked.wait()
    counting.away = False

    async with asyncio.timeout(30):
        while len(counting.taken) < 2:
            await asyncio.sleep(0.02)
    assert counting.taken == [[12], [5]]


async def test_an_end_waits_for_nobody_who_is_away():
    counting = Counting()
    settling = Settling(counting.settle)
    settling.add([mark(60)], [12])
    await counting.asked.wait()

    await settling.close()

    assert counting.taken == []
