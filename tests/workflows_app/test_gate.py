"""Who goes first when places are few: in simulated time, without a provider."""

import asyncio
from dataclasses import replace

import pytest

from gateway.ledger.books import Caller
from tests.harness import backend
from workflows_app.errors import CostCeiling
from workflows_app.gate import PATIENCE_SECONDS, Gate
from workflows_app.spending import Spending

ONE = [replace(backend("small", 1, "http://127.0.0.1:9"), max_in_flight=1)]
ME = Caller("local")


class Line:
    """A gate with one place, taken; those who `want` it line up."""

    def __init__(self) -> None:
        self.now = 0.0
        self.gate = Gate(lambda: self.now)
        self.order: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.open = asyncio.Event()

    async def want(
        self, name: str, run_left: float, op_left: float = 1.0, caller: Caller = ME
    ) -> None:
        async def take() -> None:
            async with self.gate.place("tier-1", ONE, caller, run_left, op_left):
                self.order.append(name)
                await self.open.wait()

        self.tasks.append(asyncio.create_task(take()))
        await asyncio.sleep(0)

    async def serve(self) -> list[str]:
        self.open.set()
        await asyncio.gather(*self.tasks)
        return self.order


async def test_the_run_that_is_nearly_done_goes_first():
    line = Line()
    await line.want("first", 9)
    await line.want("long", 9)
    await line.want("short", 1)

    assert await line.serve() == ["first", "short", "long"]


async def test_within_a_run_the_critical_path_goes_first():
    line = Line()
    await line.want("first", 9)
    await line.want("side", 9, 2)
    await line.want("critical", 9, 9)

    assert await line.serve() == ["first", "critical", "side"]


async def test_who_waits_long_enough_goes_first():
    line = Line()
    await line.want("first", 9)
    await line.want("long", 100)
    line.now += PATIENCE_SECONDS
    await line.want("short", 1)

    assert await line.serve() == ["first", "long", "short"]


async def test_a_key_has_its_own_bound():
    line = Line()
    two = [replace(ONE[0], max_in_flight=2)]
    bounded = Caller("key:1", key_id=1, max_in_flight=1)
    entered = []

    async def take(name: str, caller: Caller) -> None:
        async with line.gate.place("tier-1", two, caller, 1, 1):
            entered.append(name)
            await line.open.wait()

    tasks = [asyncio.create_task(take("a", bounded))]
    tasks += [asyncio.create_task(take("b", bounded))]
    tasks += [asyncio.create_task(take("other", Caller("key:2", key_id=2)))]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert entered == ["a", "other"]
    line.open.set()
    await asyncio.gather(*tasks)
    assert entered == ["a", "other", "b"]


async def test_who_leaves_the_line_holds_nobody_up():
    line = Line()
    await line.want("first", 9)
    await line.want("gone", 1)
    await line.want("next", 2)
    line.tasks.pop(1).cancel()
    await asyncio.sleep(0)

    assert await line.serve() == ["first", "next"]


async def test_money_is_set_aside_before_it_is_spent():
    spending = Spending(100)
    assert await spending.reserve([120, 60], "a") == 1
    waiting = asyncio.create_task(spending.reserve([60], "b"))
    await asyncio.sleep(0)
    assert not waiting.done()

    spending.settle(60, 30)
    await waiting
    assert (spending.spent, spending.reserved) == (30, 60)

    too_much = asyncio.create_task(spending.reserve([50], "c"))
    await asyncio.sleep(0)
    spending.settle(60, 60)
    with pytest.raises(CostCeiling, match='before op "c"'):
        await too_much
