"""One budget, whole instances: workers, databases, Redis, restarts and kills."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import httpx
import pytest

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
    process = bank.start("--workers", str(workers))
    assert bank.ask_at_once(15, "before") == [200] * 15
    threaded_upstream.always = "stall-before-headers"

    async def ask_and_be_cut() -> None:
        async with httpx.AsyncClient(timeout=60) as client:
            await bank.ask(client, "never answered", 20)

    async def cut() -> None:
        asked = asyncio.create_task(ask_and_be_cut())
        await asyncio.to_thread(
            threaded_upstream.wait_until, lambda: threaded_upstream.in_flight
        )
        kill_group(process)
        with pytest.raises(httpx.TransportError):
            await asked

    asyncio.run(cut())
    threaded_upstream.always = None
    with bank.serving("--workers", str(workers)):
        after = bank.ask_at_once(5, "after")

    # 75,000 were paid, 20,000 may have been, and 5000 are left.
    assert after == [200] + [429] * 4
    if database == "sqlite":
        unknown = "SELECT cost_nano FROM gateway_attempt WHERE state = 'unknown'"
        assert bank.query(unknown) == [(20_000,)]


@pytest.mark.slow
def test_when_workers_were_killed_under_load_nothing_stays_set_aside(
    tmp_path: Path, threaded_upstream: ThreadedFaultLLM
):
    bank = Bank(tmp_path, threaded_upstream.url)
    made = bank.manage("create_key", "rich", "--budget-month=50")
    bank.headers = {"authorization": f"Bearer {made.stdout.strip()}"}
    questions, answers = count(), Counter[int]()

    async def ask_on(client: httpx.AsyncClient) -> None:
        while True:
            with suppress(httpx.TransportError):
                answers[await bank.ask(client, f"question {next(questions)}")] += 1

    async def kill_three() -> None:
        async with httpx.AsyncClient(timeout=60) as client:
            asking = [asyncio.create_task(ask_on(client)) for _ in range(16)]
            for number in range(1, 4):
                enough = answers.total() + 100
                while answers.total() < enough or bank.replayed < number - 1:
                    await asyncio.sleep(0.01)
                workers = await asyncio.to_thread(workers_of, bank.url, bank.headers)
                os.kill(min(workers), signal.SIGKILL)
            while bank.replayed < 3:
                await asyncio.sleep(0.01)
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)

    with bank.serving("--workers", "2"):
        asyncio.run(kill_three())

    assert answers.keys() == {200}
    (counter,) = bank.query("SELECT spent, reserved FROM gateway_limitcounter")
    (booked,) = bank.query("SELECT sum(spent_nano) FROM gateway_spendday")
    assert counter == (*booked, 0)
    assert bank.query("SELECT count(*) FROM gateway_limithold") == [(0,)]


@pytest.mark.service
def test_redis_that_goes_and_comes_back_lifts_no_limit(
    tmp_path: Path, threaded_upstream: ThreadedFaultLLM
):
    (tmp_path / "redis").mkdir()
    with redis_server(tmp_path / "redis") as redis:
        bank = Bank(tmp_path, threaded_upstream.url, REDIS_URL=redis.url)
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
