"""One budget, whole instances: workers, databases, Redis, restarts and kills."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import httpx
import pytest
from redis import Redis

from tests.faultllm import ThreadedFaultLLM
from tests.gateway.limits.bank import Bank
from tests.instance import kill_group, workers_of
from tests.redis_server import redis_server


@pytest.fixture
def environ(
    request: pytest.FixtureRequest, database: str, shared: str, tmp_path: Path
) -> Iterator[dict[str, str]]:
    found = {}
    if database == "postgresql":
        found["DATABASE_URL"] = request.getfixturevalue("postgresql")
    if shared == "alone":
        yield found
        return
    (tmp_path / "redis").mkdir()
    with redis_server(tmp_path / "redis") as redis:
        # A machine that is busy with tests may starve it for a while.
        yield {**found, "REDIS_URL": redis.url, "LLM_ROUTER_REDIS_TIMEOUT_MS": "5000"}


@pytest.mark.service
@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
@pytest.mark.parametrize("shared", ["alone", "redis"])
def test_exactly_twenty_of_fifty_at_once_pass(
    tmp_path: Path,
    threaded_upstream: ThreadedFaultLLM,
    environ: dict[str, str],
    workers: int,
):
    bank = Bank(tmp_path, threaded_upstream.url, **environ)
    with bank.serving("--workers", str(workers)):
        first = bank.ask_at_once(50)
        again = bank.ask_at_once(20, "more")
    with bank.serving("--workers", str(workers)):
        after_restart = bank.ask_at_once(10, "yet more")

    assert first == [200] * 20 + [429] * 30
    assert again == [429] * 20
    assert after_restart == [429] * 10
    assert threaded_upstream.total == 20


@pytest.mark.parametrize(
    ("workers", "database", "shared"),
    [
        pytest.param(1, "sqlite", "alone", marks=pytest.mark.slow),
        pytest.param(2, "sqlite", "alone", marks=pytest.mark.slow),
        pytest.param(2, "postgresql", "alone", marks=pytest.mark.service),
        pytest.param(2, "sqlite", "redis", marks=pytest.mark.service),
    ],
)
def test_a_killed_worker_leaves_what_it_had_set_aside_as_spent_once(
    tmp_path: Path,
    threaded_upstream: ThreadedFaultLLM,
    environ: dict[str, str],
    workers: int,
    database: str,
):
    bank = Bank(tmp_path, threaded_upstream.url, **environ)
    cut_after_fifteen(bank, threaded_upstream, workers)
    with bank.serving("--workers", str(workers)):
        after = bank.ask_at_once(5, "after")

    # 75,000 were paid, 20,000 may have been, and 5000 are left.
    assert after == [200] + [429] * 4
    if database == "sqlite":
        unknown = "SELECT cost_nano FROM gateway_attempt WHERE state = 'unknown'"
        assert bank.query(unknown) == [(20_000,)]


@pytest.mark.slow
def test_so_it_does_when_a_worker_that_counts_alone_comes_in_between(
    tmp_path: Path, threaded_upstream: ThreadedFaultLLM
):
    bank = Bank(tmp_path, threaded_upstream.url)
    cut_after_fifteen(bank, threaded_upstream, 2)
    with bank.serving("--workers", "1"):
        pass
    with bank.serving("--workers", "2"):
        after = bank.ask_at_once(5, "after")

    assert after == [200] + [429] * 4


@pytest.mark.parametrize("database", ["sqlite"])
@pytest.mark.parametrize(
    "shared",
    [
        pytest.param("alone", marks=pytest.mark.slow),
        pytest.param("redis", marks=pytest.mark.service),
    ],
)
def test_when_workers_were_killed_under_load_nothing_stays_set_aside(
    tmp_path: Path, threaded_upstream: ThreadedFaultLLM, environ: dict[str, str]
):
    bank = Bank(tmp_path, threaded_upstream.url, **environ)

    async def kill_three(load: Load) -> None:
        for number in range(1, 4):
            await load.answers(100)
            await until(lambda: bank.replayed >= number - 1)  # noqa: B023
            await load.kill_one()
        await until(lambda: bank.replayed == 3)

    answers = asked_meanwhile(bank, kill_three)

    assert answers.keys() == {200}
    spent, reserved, holds = counted(bank)
    assert (spent, reserved) == (booked(bank), 0)
    assert holds == []


@pytest.mark.service
def test_nor_does_it_when_redis_was_away_while_their_journals_were_replayed(
    tmp_path: Path, threaded_upstream: ThreadedFaultLLM
):
    (tmp_path / "redis").mkdir()
    with redis_server(tmp_path / "redis") as redis:
        bank = Bank(tmp_path, threaded_upstream.url, REDIS_URL=redis.url)

        async def kill_without_redis(load: Load) -> None:
            await load.answers(100)
            redis.freeze()
            await load.kill_one()
            await until(lambda: bank.replayed == 1)
            await load.kill_one()  # the heir, or the one beside it
            await until(lambda: bank.replayed == 2)
            redis.thaw()
            await until(lambda: not list(bank.data_dir.glob("journal/*.estate")))
            await load.answers(100)

        answers = asked_meanwhile(bank, kill_without_redis)
        _, reserved, holds = counted(bank)

    assert answers.keys() == {200}
    assert '"event": "holds_given_back"' in bank.log
    assert (reserved, holds) == (0, [])


@pytest.mark.service
def test_redis_that_goes_and_comes_back_lifts_no_limit(
    tmp_path: Path, threaded_upstream: ThreadedFaultLLM
):
    (tmp_path / "redis").mkdir()
    with redis_server(tmp_path / "redis") as redis:
        patient = {"REDIS_URL": redis.url, "LLM_ROUTER_REDIS_TIMEOUT_MS": "5000"}
        bank = Bank(tmp_path, threaded_upstream.url, **patient)
        with bank.serving("--workers", "2"):
            assert bank.ask_at_once(5, "with it") == [200] * 5
            wait_for_books(bank, 5)
            redis.stop()
            without = bank.ask_at_once(5, "without it")
            wait_for_books(bank, 10)
            redis.start()  # empty
            wait_for_redis(bank)
            back = bank.ask_at_once(30, "back")

    assert without == [200] * 5
    assert back.count(429) >= 20
    assert threaded_upstream.total <= 20


def wait_for_redis(bank: Bank) -> None:
    """Until each worker says that nothing is wrong: the pings have found it again."""
    quiet = 0
    while quiet < 30:
        quiet = (
            quiet + 1 if httpx.get(f"{bank.url}/ready").json()["trouble"] == 0 else 0
        )


def wait_for_books(bank: Bank, requests: int) -> None:
    sql = "SELECT coalesce(sum(requests), 0) FROM gateway_spendday"
    while bank.query(sql)[0][0] < requests:
        time.sleep(0.05)


def cut_after_fifteen(bank: Bank, upstream: ThreadedFaultLLM, workers: int) -> None:
    """Killed while one call is under way that may cost a fifth of the budget."""
    process = bank.start("--workers", str(workers))
    assert bank.ask_at_once(15, "before") == [200] * 15
    upstream.always = "stall-before-headers"

    async def ask_and_be_cut() -> None:
        async with httpx.AsyncClient(timeout=60) as client:
            await bank.ask(client, "never answered", 20)

    async def cut() -> None:
        asked = asyncio.create_task(ask_and_be_cut())
        await asyncio.to_thread(upstream.wait_until, lambda: upstream.in_flight)
        kill_group(process)
        with pytest.raises(httpx.TransportError):
            await asked

    asyncio.run(cut())
    upstream.always = None


@dataclass
class Load:
    """Questions that are asked on and on, also when a worker dies."""

    bank: Bank
    answered: Counter[int] = field(default_factory=Counter)
    numbers: Iterator[int] = field(default_factory=count)

    async def ask_on(self, client: httpx.AsyncClient) -> None:
        while True:
            question = f"question {next(self.numbers)}"
            with suppress(httpx.TransportError):
                self.answered[await self.bank.ask(client, question)] += 1

    async def answers(self, more: int) -> None:
        enough = self.answered.total() + more
        await until(lambda: self.answered.total() >= enough)

    async def kill_one(self) -> None:
        workers = await asyncio.to_thread(workers_of, self.bank.url, self.bank.headers)
        os.kill(min(workers), signal.SIGKILL)


def asked_meanwhile(
    bank: Bank, story: Callable[[Load], Coroutine[None, None, None]]
) -> Counter[int]:
    """The answers to a key that never comes to its limit, from two workers."""
    made = bank.manage("create_key", "rich", "--budget-month=50")
    bank.headers = {"authorization": f"Bearer {made.stdout.strip()}"}
    load = Load(bank)

    async def ask() -> None:
        async with httpx.AsyncClient(timeout=60) as client:
            asking = [asyncio.create_task(load.ask_on(client)) for _ in range(16)]
            await story(load)
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)

    with bank.serving("--workers", "2"):
        asyncio.run(ask())
    return load.answered


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(120):
        while not condition():
            await asyncio.sleep(0.01)


def counted(bank: Bank) -> tuple[int, int, list[object]]:
    """What the only counter has: spent, set aside, and for which calls."""
    if "REDIS_URL" not in bank.more:
        counters = "SELECT spent, reserved FROM gateway_limitcounter"
        ((spent, reserved),) = bank.query(counters)
        return spent, reserved, bank.query("SELECT hold FROM gateway_limithold")
    with Redis.from_url(bank.more["REDIS_URL"], decode_responses=True) as redis:
        (key,) = redis.keys("llm-router:limit:*")
        counter = redis.hgetall(key)
        owned = redis.keys("llm-router:limit-owner:*")
    holds = [field for field in counter if field.startswith("h:")]
    return int(counter["s"]), int(counter["r"]), [*holds, *owned]


def booked(bank: Bank) -> int:
    return bank.query("SELECT sum(spent_nano) FROM gateway_spendday")[0][0]
