"""Runs that outlive their process: leases, take-over, kill -9."""

import asyncio
import os
import signal
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import httpx
import psycopg
import pytest
from django.utils import timezone

from gateway.runtime.database import in_database
from tests.faultllm import ThreadedFaultLLM
from tests.instance import Instance, kill_group
from tests.workflows_app.followed import wait_for_end
from tests.workflows_app.samples import STRAWBERRY, one_op
from workflows_app import lease
from workflows_app.background import look_once
from workflows_app.models import OpRun, WorkflowRun
from workflows_app.runs import Runs

CHAIN = {
    "end_ops": ["o3"],
    "ops": {
        f"o{n}": {"prompt": f"Op {n}.", **({"input_ops": [f"o{n - 1}"]} if n else {})}
        for n in range(4)
    },
}


async def ended(run_id: str) -> WorkflowRun:
    async with asyncio.timeout(20):
        while True:
            row = await in_database(WorkflowRun.objects.get, run_id=run_id)
            if row.status in ("succeeded", "failed", "cancelled"):
                return row
            await asyncio.sleep(0.02)


async def test_a_queued_run_is_claimed_by_one_process_only(run, gateway, upstream):
    runs = Runs.of(gateway.runtime)
    upstream.always = "hold"
    submitted = await run(STRAWBERRY, mode="background")
    run_id = submitted.json["run_id"]
    await upstream.until(lambda: upstream.holding == 1)

    assert await in_database(lease.claim, "elsewhere/1/a", 9) == []
    expired = timezone.now() - timedelta(seconds=1)
    await in_database(
        lambda: WorkflowRun.objects.filter(run_id=run_id).update(lease_until=expired)
    )
    first = await in_database(lease.claim, "elsewhere/1/a", 9)
    second = await in_database(lease.claim, "elsewhere/1/b", 9)

    assert [saved["run_id"] for saved in first] == [run_id]
    assert second == []
    await look_once(runs)  # it sees that it has lost the run, and lets go
    await upstream.until(lambda: upstream.holding == 0)
    row = await in_database(WorkflowRun.objects.get, run_id=run_id)
    assert (row.status, row.owner) == ("running", "elsewhere/1/a")


async def test_a_run_goes_on_with_what_is_written_down(run, gateway, upstream):
    """As after a kill: the first two ops are done, the third was under way."""
    upstream.script = ["ok", "ok", "hold"]
    run_id = (await run(CHAIN, mode="background")).json["run_id"]
    await upstream.until(lambda: upstream.holding == 1)
    before = await in_database(lambda: list(OpRun.objects.values_list("op", "output")))
    first = Runs.of(gateway.runtime)
    await first.close()
    assert len(before) == 2

    gateway.runtime.services.clear()  # another process, so to say
    await look_once(Runs.of(gateway.runtime))

    row = await ended(run_id)
    assert row.status == "succeeded"
    outputs = await in_database(lambda: dict(row.ops.values_list("op", "output")))
    assert {op: outputs[op] for op, _ in before} == dict(before)
    assert len(upstream.attempts) == 3 + 2
    assert row.cost_nano == sum(
        await in_database(lambda: list(row.ops.values_list("cost_nano", flat=True)))
    )


async def test_items_of_a_map_are_not_paid_again(run, gateway, upstream):
    workflow = {
        "end_ops": ["each"],
        "ops": {"each": {"prompt": "Op {{item}}.", "map": "input"}},
    }
    upstream.script = ["ok", "ok", "hold"]
    run_id = (await run(workflow, "x\ny\nz", mode="background")).json["run_id"]

    async def kept() -> int:
        rows = await in_database(lambda: list(OpRun.objects.values_list("items")))
        return len(rows[0][0]) if rows else 0

    async with asyncio.timeout(10):
        while await kept() < 2:
            await asyncio.sleep(0.01)
    await Runs.of(gateway.runtime).close()
    gateway.runtime.services.clear()
    await look_once(Runs.of(gateway.runtime))

    row = await ended(run_id)
    assert row.status == "succeeded"
    assert len(row.final_output) == 3
    assert len(upstream.attempts) == 4


async def test_a_call_under_way_at_a_kill_counts_against_the_ceiling(
    run, gateway, upstream
):
    """There is money for one call, and it may have been spent on the one that was
    under way."""
    workflow = one_op(tier=3, max_tokens=100, retries=0)
    upstream.script = ["hold"]
    plan = await run(workflow, query="?explain=1")
    most = plan.json["plan"]["cost_usd"]["max"]
    submitted = await run(workflow, mode="background", max_cost_usd=most * 1.2)
    run_id = submitted.json["run_id"]
    await upstream.until(lambda: upstream.holding == 1)
    row = await in_database(WorkflowRun.objects.get, run_id=run_id)
    under_way = Runs.of(gateway.runtime)
    at_most = under_way.find(run_id, row.scope).spending.at_most
    assert row.at_most_nano == at_most > 0

    # As a kill leaves it: no word of how the call ended.
    under_way.find(run_id, row.scope).lost = True
    await under_way.close()
    gateway.runtime.services.clear()
    await in_database(free_lease, run_id)
    await look_once(Runs.of(gateway.runtime))

    row = await ended(run_id)
    assert (row.status, row.error_code) == ("failed", "max_cost_reached")
    assert len(upstream.attempts) == 1


def free_lease(run_id: str) -> None:
    rows = WorkflowRun.objects.filter(run_id=run_id)
    rows.update(status="queued", owner="", lease_until=None)


async def test_a_run_is_cancelled_from_another_process(run, gateway, upstream):
    upstream.always = "hold"
    run_id = (await run(STRAWBERRY, mode="background")).json["run_id"]
    await upstream.until(lambda: upstream.holding == 1)

    assert await in_database(lease.ask_to_cancel, run_id, "local")
    assert not await in_database(lease.ask_to_cancel, run_id, "team:other")
    await look_once(Runs.of(gateway.runtime))

    assert (await ended(run_id)).status == "cancelled"
    assert upstream.holding == 0


async def test_a_run_that_can_not_go_on_fails(gateway):
    row = WorkflowRun(
        run_id="run_x",
        scope="local",
        mode="background",
        text="end_ops: [a]\nops:\n  a: {prompt: x, tier: 9}",
        inputs={"query": "", "named": {}},
        caller={"scope": "local"},
    )
    await in_database(row.save)

    await look_once(Runs.of(gateway.runtime))

    row = await ended("run_x")
    assert (row.status, row.error_code) == ("failed", "model_not_found")


def test_owners_are_told_dead_only_when_they_are():
    me = lease.owner_name()
    host, pid, _ = me.split("/")

    assert lease.is_dead(f"{host}/4194999/x", me)
    assert lease.is_dead(f"{host}/{pid}/of-an-earlier-process", me)
    assert not lease.is_dead(f"{host}/{os.getppid()}/x", me)
    assert not lease.is_dead("another-machine/4194999/x", me)
    assert not lease.is_dead("nonsense", me)


@pytest.mark.parametrize(
    "killed_at",
    [2, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 3, 4))],
)
def test_kill_9_in_mid_run_and_finished_ops_are_not_paid_again(
    tmp_path: Path, threaded_upstream: ThreadedFaultLLM, killed_at: int
):
    instance = Instance(tmp_path, threaded_upstream.url)
    threaded_upstream.script = ["ok"] * (killed_at - 1) + ["hold"]
    process = instance.start()
    run_id = submit(instance.url, "Hi")
    threaded_upstream.wait_until(lambda: threaded_upstream.holding == 1)
    kill_group(process)

    with instance.serving() as url:
        found = wait_for_end(url, run_id)

    assert found["status"] == "succeeded"
    assert list(found["outputs"]) == ["o0", "o1", "o2", "o3"]
    seen = [a.body["messages"][0]["content"] for a in threaded_upstream.attempts]
    asked = [prompt.split(".")[0] for prompt in seen]
    expected = [f"Op {n}" for n in range(4)]
    expected.insert(killed_at, f"Op {killed_at - 1}")  # the one under way, again
    assert asked == expected
    rows = instance.query("SELECT attempt_id FROM gateway_attempt")
    billed = [attempt.attempt_id for attempt in threaded_upstream.attempts]
    assert sorted(row[0] for row in rows) == sorted(billed)


@pytest.mark.slow
def test_a_run_goes_on_after_a_polite_stop(
    tmp_path: Path, threaded_upstream: ThreadedFaultLLM
):
    instance = Instance(tmp_path, threaded_upstream.url)
    threaded_upstream.script = ["ok", "hold"]
    with instance.serving() as url:
        run_id = submit(url, "Hi")
        threaded_upstream.wait_until(lambda: threaded_upstream.holding == 1)
    rows = instance.query("SELECT status, owner FROM workflows_app_workflowrun")
    assert rows == [("queued", "")]

    with instance.serving() as url:
        found = wait_for_end(url, run_id)

    assert found["status"] == "succeeded"
    assert len(threaded_upstream.attempts) == 5


def submit(url: str, text: str) -> str:
    body = {"workflow": CHAIN, "input": text, "mode": "background"}
    answer = httpx.post(f"{url}/v1/workflows", json=body, timeout=20)
    run_id: str = answer.json()["run_id"]
    return run_id


@pytest.mark.service
def test_workers_share_the_queue_and_one_that_dies_loses_nothing(
    tmp_path: Path, threaded_upstream: ThreadedFaultLLM, postgresql: str
):
    instance = Instance(tmp_path, threaded_upstream.url)
    threaded_upstream.always = "delay-200ms"
    with instance.serving("--workers", "2", DATABASE_URL=postgresql) as url:
        runs = [submit(url, f"run {number}") for number in range(8)]
        threaded_upstream.wait_until(lambda: threaded_upstream.total > 8)
        with psycopg.connect(postgresql) as database:
            owners = "SELECT DISTINCT owner FROM workflows_app_workflowrun"
            names = [name for (name,) in database.execute(owners) if name]
        doomed = int(names[0].split("/")[1])
        os.kill(doomed, signal.SIGSTOP)  # it makes no call between the look and its end
        busy, known = threaded_upstream.in_flight, threaded_upstream.total
        time.sleep(0.05)
        busy += threaded_upstream.total - known  # those that were on their way
        os.kill(doomed, signal.SIGKILL)

        results = [wait_for_end(url, run_id) for run_id in runs]

    assert {found["status"] for found in results} == {"succeeded"}
    asked = Counter(str(attempt.body) for attempt in threaded_upstream.attempts)
    assert len(asked) == 8 * 4
    # Only calls that were under way are made again.
    assert sum(asked.values()) <= 8 * 4 + busy
