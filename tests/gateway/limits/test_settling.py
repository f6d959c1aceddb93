"""Settlements reach their counters, also when nobody settles after them."""

import asyncio
from collections.abc import Sequence

from gateway.limits.counters import CountersDown, Settlement
from gateway.limits.settling import Settling
from tests.gateway.limits.samples import mark


class Counting:
    """Takes settlements, unless it is away; not before it is `ready`."""

    def __init__(self) -> None:
        self.away = True
        self.asked = asyncio.Event()
        self.ready = asyncio.Event()
        self.ready.set()
        self.taken: list[list[Sequence[int]]] = []

    async def settle(self, settlements: Sequence[Settlement]) -> None:
        self.asked.set()
        await self.ready.wait()
        if self.away:
            raise CountersDown("The test says so.")
        self.taken.append([spent for _, spent in settlements])


async def until_taken(counting: Counting, count: int) -> None:
    async with asyncio.timeout(30):
        while sum(map(len, counting.taken)) < count:
            await asyncio.sleep(0.02)


async def test_what_nobody_took_is_made_when_somebody_does_without_a_call_after_it():
    counting = Counting()
    settling = Settling(counting.settle)
    settling.add([mark(60)], [12])
    settling.add([mark(5)], [5])
    await counting.asked.wait()
    counting.away = False

    await until_taken(counting, 2)
    assert [spent for some in counting.taken for spent in some] == [[12], [5]]


async def one_under_way() -> tuple[Counting, Settling]:
    counting = Counting()
    counting.away = False
    counting.ready.clear()
    settling = Settling(counting.settle)
    settling.add([mark(60)], [12])
    await counting.asked.wait()
    return counting, settling


async def test_what_came_while_another_was_made_is_made_together():
    counting, settling = await one_under_way()
    for cost in range(3):
        settling.add([mark(5)], [cost])
    counting.ready.set()

    await until_taken(counting, 4)
    assert counting.taken == [[[12]], [[0], [1], [2]]]


async def test_who_waits_for_what_is_owed_by_now_waits_for_no_more():
    counting, settling = await one_under_way()
    settling.add([mark(5)], [5])
    waiting = asyncio.create_task(settling.caught_up())
    await asyncio.sleep(0)
    settling.add([mark(5)], [6])
    assert not waiting.done()
    counting.ready.set()

    await waiting
    assert [12] in counting.taken[0]
    assert [5] in counting.taken[1]


async def test_nor_does_he_wait_for_somebody_who_is_away():
    counting = Counting()
    settling = Settling(counting.settle)
    settling.add([mark(60)], [12])

    await settling.caught_up()

    assert counting.taken == []
    await settling.close()
    await settling.caught_up()


async def test_an_end_waits_for_nobody_who_is_away():
    counting = Counting()
    settling = Settling(counting.settle)
    settling.add([mark(60)], [12])
    await counting.asked.wait()

    await settling.close()

    assert counting.taken == []
