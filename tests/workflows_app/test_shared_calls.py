"""What the runs of a batch share is called once, whichever workers have them, without
Redis, also when one of them or all are killed; by the provider's own account."""

import os
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing

import httpx
import psycopg
import pytest

from tests.faultllm import ThreadedFaultLLM
from tests.instance import Instance, kill_group
from tests.workflows_app.prompts import ops_called, prompts

# `rules` doesn't look at the input; of `judge` there is one for each distinct input.
WORKFLOW = {
    "end_ops": ["judge"],
    "ops": {
        "rules": {"prompt": "Op rules.", "inputs": {"query": False}},
        "judge": {"prompt": "Op judge.", "input_ops": ["rules"]},
    },
}
DISTINCT = 5
MOST_RUNS = 64  # of a process: so many runs that no worker can have them all
Query = Callable[[str], list[tuple]]


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.service)]
)
def database(request, tmp_path) -> Iterator[tuple[dict[str, str], Query]]:
    """What an instance is told of its database, and a way to look into it."""
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql")

        def ask(sql: str) -> list[tuple]:
            with psycopg.connect(url) as connection:
                return connection.execute(sql).fetchall()

        yield {"DATABASE_URL": url}, ask
        return

    def look(sql: str) -> list[tuple]:
        path = tmp_path / "var" / "db.sqlite3"
        with closing(sqlite3.connect(path, timeout=20)) as connection:
            return connection.execute(sql).fetchall()

    yield {}, look


def submit(url: str, workers: int, **fields: object) -> str:
    inputs = [f"question {n % DISTINCT}" for n in range(MOST_RUNS * workers)]
    body = {"workflow": WORKFLOW, "inputs": inputs, "mode": "background", **fields}
    answer = httpx.post(f"{url}/v1/workflows/batch", json=body, timeout=30)
    batch_id: str = answer.json()["batch_id"]
    return f"{url}/v1/workflows/batches/{batch_id}"


def result_of(address: str) -> dict:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            found = httpx.get(address, timeout=30).json()
        except httpx.TransportError:
            continue  # the worker that was asked has just died
        if found["status"] != "running":
            return found
        time.sleep(0.05)
    raise AssertionError("The batch doesn't end.")


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def owners(query: Query) -> set[str]:
    found = query("SELECT DISTINCT owner FROM workflows_app_workflowrun")
    return {owner for (owner,) in found if owner}


def settle(upstream: ThreadedFaultLLM) -> None:
    upstream.always = ""
    upstream.release()


def judged(upstream: ThreadedFaultLLM) -> Counter[str]:
    return Counter(text for text in prompts(upstream) if text.startswith("Op judge"))


@pytest.mark.slow
@pytest.mark.parametrize("workers", [2, 4])
def test_what_a_batch_shares_is_one_call_for_all_workers(
    tmp_path, threaded_upstream, database, workers
):
    told, query = database
    instance = Instance(tmp_path, threaded_upstream.url)
    threaded_upstream.always = "hold"
    with instance.serving("--workers", str(workers), **told) as url:
        address = submit(url, workers, max_cost_usd=1)
        wait_for(lambda: len(owners(query)) == workers)
        settle(threaded_upstream)
        found = result_of(address)

    assert found["counts"] == {"succeeded": MOST_RUNS * workers}
    assert ops_called(threaded_upstream).count("rules") == 1
    assert set(judged(threaded_upstream).values()) == {1}
    assert len(threaded_upstream.attempts) == 1 + DISTINCT
    costs = query("SELECT cost_nano FROM workflows_app_oprun WHERE cost_nano > 0")
    assert len(costs) == 1 + DISTINCT  # each is paid by one run only
    [(at_most,)] = query("SELECT at_most_nano FROM workflows_app_batchceiling")
    assert at_most == sum(cost for (cost,) in costs)


@pytest.mark.slow
def test_the_call_of_a_worker_that_is_killed_is_made_by_one_of_the_others(
    tmp_path, threaded_upstream, database
):
    told, query = database
    instance = Instance(tmp_path, threaded_upstream.url)
    threaded_upstream.always = "hold"
    with instance.serving("--workers", "2", **told) as url:
        address = submit(url, 2)
        wait_for(lambda: len(owners(query)) == 2 and threaded_upstream.holding == 1)
        [(caller,)] = query("SELECT owner FROM workflows_app_sharedcall")
        os.kill(int(caller.split("/")[1]), signal.SIGKILL)
        threaded_upstream.wait_until(lambda: threaded_upstream.total == 2, 60)
        settle(threaded_upstream)
        found = result_of(address)

    assert found["counts"] == {"succeeded": MOST_RUNS * 2}
    assert ops_called(threaded_upstream).count("rules") == 2  # one was under way
    assert len(threaded_upstream.attempts) == 2 + DISTINCT


@pytest.mark.slow
def test_what_was_answered_before_all_were_killed_is_not_paid_again(
    tmp_path, threaded_upstream, database
):
    told, query = database
    instance = Instance(tmp_path, threaded_upstream.url)
    threaded_upstream.script = ["ok"]
    threaded_upstream.always = "hold"
    process = instance.start("--workers", "2", environ=told)
    address = submit(instance.url, 2)
    path = address.removeprefix(instance.url)
    wait_for(lambda: threaded_upstream.holding == DISTINCT)
    kill_group(process)
    threaded_upstream.always = ""

    with instance.serving("--workers", "2", **told) as url:
        found = result_of(url + path)

    assert found["counts"] == {"succeeded": MOST_RUNS * 2}
    assert ops_called(threaded_upstream).count("rules") == 1
    assert set(judged(threaded_upstream).values()) == {2}  # all were under way
    rules = query("SELECT cost_nano FROM workflows_app_oprun WHERE op = 'rules'")
    assert sum(cost > 0 for (cost,) in rules) == 1
    rows = query("SELECT attempt_id FROM gateway_attempt")
    billed = [attempt.attempt_id for attempt in threaded_upstream.attempts]
    assert sorted(row[0] for row in rows) == sorted(billed)
