"""A database that is slow delays; who counts, and how much, it never changes."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import OperationalError

from gateway.limits.counters import CountersDown
from gateway.limits.counting_thread import CountingThread
from tests import ROOT
from tests.faultllm import ThreadedFaultLLM
from tests.faults.running import locked
from tests.gateway.limits.bank import Bank


@pytest.mark.slow
def test_workers_that_wait_for_the_database_still_let_exactly_twenty_of_fifty_pass(
    tmp_path: Path, threaded_upstream: ThreadedFaultLLM
):
    bank = Bank(tmp_path, threaded_upstream.url)
    with bank.serving("--workers", "4"), ThreadPoolExecutor(1) as pool:
        with locked(bank):
            asked = pool.submit(bank.ask_at_once, 50)
            time.sleep(4)
        first = asked.result()
        again = bank.ask_at_once(5, "more")

    assert first == [200] * 20 + [429] * 30
    assert again == [429] * 5
    assert threaded_upstream.total == 20


# --- What was given up ---------------------------------------------------------------

COUNTING = """
import asyncio, django, structlog, sys
structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=sys.stderr))
django.setup()

from gateway.limits.counters import Count, CountersDown
from gateway.limits.counting_thread import CountingThread
from gateway.limits.in_database import DatabaseCounters, look
from tests.gateway.limits.samples import NOON, mark


def say(text):
    print(text, flush=True)
    return asyncio.to_thread(input)


async def standing(counters):
    (count,) = await counters.reserve([mark(0)])
    return count
"""
RESERVED = (
    COUNTING
    + """
async def main():
    counters = DatabaseCounters(lambda: NOON, CountingThread(look, patience=0.3))
    await counters.reserve([mark(5)])
    await say("lock it")
    try:
        await counters.reserve([mark(60)])
    except CountersDown:
        await say("given up")
    while not counters.usable:
        await asyncio.sleep(0.02)
    while await standing(counters) != Count(0, 5):
        await asyncio.sleep(0.02)
    await counters.close()

asyncio.run(main())
"""
)
SETTLED = (
    COUNTING
    + """
async def main():
    counters = DatabaseCounters(lambda: NOON, CountingThread(look, patience=0.3))
    for _ in range(2):
        await counters.reserve([mark(40)])
    await say("lock it")
    counters.settle([mark(40)], [7])
    try:
        await counters.reserve([mark(1)])
    except CountersDown:
        await say("given up")
    while not counters.usable:
        await asyncio.sleep(0.02)
    while await standing(counters) != Count(7, 40):
        await asyncio.sleep(0.02)
    await counters.close()
    print(await standing(DatabaseCounters(lambda: NOON)), flush=True)

asyncio.run(main())
"""
)


def run_beside_a_lock(bank: Bank, script: str) -> str:
    """Run it; the database is locked between the two lines that it waits after."""
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**bank.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline() == "lock it\n"
        with locked(bank):
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline() == "given up\n"
        rest, _ = process.communicate("\n", timeout=120)
    finally:
        process.kill()
    assert process.returncode == 0
    return rest


def test_what_is_set_aside_after_it_was_given_up_is_given_back(tmp_path: Path):
    run_beside_a_lock(Bank(tmp_path, "http://127.0.0.1:1"), RESERVED)


def test_a_settlement_that_took_long_is_made_once(tmp_path: Path):
    rest = run_beside_a_lock(Bank(tmp_path, "http://127.0.0.1:1"), SETTLED)

    assert rest == "Count(spent=7, reserved=40)\n"


# --- Slow or stuck -------------------------------------------------------------------


class Busy:
    """A counting thread whose work ends when it is told to, by a clock of its own."""

    def __init__(self) -> None:
        self.now = 0.0
        self.begun = 0
        self.gates = [threading.Event() for _ in range(3)]
        self.back = threading.Event()
        self.thread = CountingThread(self.look, 10.0, 0.01, lambda: self.now)
        self.works = [self.thread.submit(self.pass_gate, n) for n in range(3)]

    def pass_gate(self, number: int) -> int:
        self.begun = number + 1
        self.gates[number].wait(60)
        return number

    def look(self) -> None:
        if not self.back.is_set():
            raise OperationalError("still away")

    async def until_begun(self, count: int) -> None:
        while self.begun < count:
            await asyncio.sleep(0.01)

    async def close(self) -> None:
        for gate in self.gates:
            gate.set()
        await self.thread.close()


@pytest.fixture
async def busy(transactional_db: None) -> AsyncIterator[Busy]:
    made = Busy()
    yield made
    await made.close()


async def test_while_some_work_ends_the_rest_waits_on(busy: Busy):
    last = asyncio.create_task(busy.thread.end_of(busy.works[2]))
    for number in range(2):
        await busy.until_begun(number + 1)
        busy.now += 9
        await asyncio.sleep(0.1)
        busy.gates[number].set()
    await busy.until_begun(3)
    await asyncio.sleep(0.1)
    assert not last.done()

    busy.gates[2].set()
    assert await last == 2
    assert busy.thread.up


async def test_when_nothing_ends_all_who_wait_are_told_and_it_is_asked_until_it_is_back(
    busy: Busy,
):
    await busy.until_begun(1)
    early = asyncio.create_task(busy.thread.end_of(busy.works[1]))
    await asyncio.sleep(0.05)
    busy.now = 9
    late = asyncio.create_task(busy.thread.end_of(busy.works[2]))
    await asyncio.sleep(0.05)
    assert not early.done()
    busy.now = 11

    told = await asyncio.gather(early, late, return_exceptions=True)
    assert [type(each) for each in told] == [CountersDown] * 2
    assert not busy.thread.up
    for gate in busy.gates:
        gate.set()
    await asyncio.sleep(0.1)
    assert not busy.thread.up
    busy.back.set()
    async with asyncio.timeout(20):
        while not busy.thread.up:
            await asyncio.sleep(0.01)


async def test_what_must_not_be_made_twice_is_waited_for_however_long_it_takes(
    busy: Busy,
):
    first = asyncio.create_task(busy.thread.end_of(busy.works[0], for_ever=True))
    await busy.until_begun(1)
    busy.now = 1000
    await asyncio.sleep(0.1)
    assert not first.done()

    busy.gates[0].set()
    assert await first == 0
