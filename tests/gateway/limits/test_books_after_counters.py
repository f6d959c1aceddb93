"""The books never have a call that the counters of all workers don't have yet: who
raised a counter to them would count it twice."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.limits.counters import Mark, Settlement
from gateway.limits.in_memory import MemoryCounters
from gateway.limits.settling import Settling
from gateway.models import Attempt
from gateway.runtime.assembly import new_writer
from gateway.runtime.database import in_database
from tests.faultllm import FaultLLM
from tests.gateway.limits.buying import buy
from tests.gateway.limits.samples import budget, caller, one_tier
from tests.harness import serving


class Behind(MemoryCounters):
    """Takes no settlement before somebody waits for it, and looks at the books then."""

    def __init__(self) -> None:
        super().__init__(lambda name: 0)
        self.waited_for = asyncio.Event()
        self.booked: list[int] = []
        self.settling = Settling(self.take)

    def settle(self, marks: Sequence[Mark], spent: Sequence[int]) -> None:
        self.settling.add(marks, spent)

    async def caught_up(self) -> None:
        self.waited_for.set()
        await self.settling.caught_up()

    async def take(self, settlements: Sequence[Settlement]) -> None:
        await self.waited_for.wait()
        self.booked.append(await in_database(Attempt.objects.count))
        for marks, spent in settlements:
            super().settle(marks, spent)


@pytest.mark.django_db(transaction=True)
async def test_a_call_is_booked_after_it_is_settled(upstream: FaultLLM, tmp_path: Path):
    behind, keys = Behind(), {"sk-ci": caller(budget(100))}
    catalog = one_tier(upstream.url)
    async with serving(catalog, tmp_path, keys=keys, counters=[behind]) as gateway:
        assert (await buy(gateway)).status == 200
        writer = new_writer(gateway.runtime, asyncio.get_running_loop())
        await in_database(writer.flush)
        behind.waited_for.set()
        await behind.settling.close()

    assert behind.booked == [0]
    assert await in_database(Attempt.objects.count) == 1
