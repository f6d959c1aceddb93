"""A run never costs more than it may."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from gateway.ledger.books import Caller
from gateway.runtime.database import in_database
from tests.workflows_app.samples import one_op
from workflows_app import lease, planner, reader, store
from workflows_app.errors import CostCeiling
from workflows_app.models import BatchCeiling, WorkflowRun
from workflows_app.prompt import Inputs
from workflows_app.run import OpState, Options, Run
from workflows_app.runs import Runs
from workflows_app.spending import LONGEST_PAUSE, Room, Spending


async def test_the_ceiling_is_never_overshot(run, upstream):
    chain = {
        f"o{n}": {
            "prompt": f"Op {n}.",
            "tier": 3,
            "max_tokens": 20,
            **({"input_ops": [f"o{n - 1}"]} if n else {}),
        }
        for n in range(6)
    }
    workflow = {"end_ops": ["o5"], "ops": chain}

    answer = await run(workflow, max_cost_usd=0.015)

    assert (answer.status, answer.error["code"]) == (402, "max_cost_reached")
    done = answer.json["outputs"]
    assert 1 <= len(done) < 6
    assert sum(answer.json["costs"].values()) <= 0.015
    assert len(upstream.attempts) == len(done)
    stopped = answer.json["ops"][f"o{len(done)}"]
    assert "left of max_cost_usd" in stopped["reason"]
    calls = {name: op["calls"] for name, op in answer.json["ops"].items()}
    assert calls == {name: int(name in done) for name in chain}


async def test_under_a_ceiling_free_ops_go_to_a_lower_tier(run, upstream):
    hard = "Prove step by step, analyze trade-offs. " * 400
    system = "Think. " * 300

    dear = await run(one_op(prompt=hard, system=system))
    cheap = await run(one_op(prompt=hard + "!", system=system), max_cost_usd=0.05)

    assert dear.json["routing"] == {"a": "medium"}
    assert cheap.json["routing"] == {"a": "small"}
    assert sum(cheap.json["costs"].values()) <= 0.05


async def test_what_a_dead_process_had_under_way_is_taken_from_its_batch(
    gateway, upstream
):
    """The rows hold what may have been spent: nothing is spent twice after a kill."""
    first, second = await in_a_batch(gateway, limit_nano=100)
    first.spending.reserved = 70
    told = [await in_database(store.save_spending, first)]
    second.spending.reserved = 31
    told += [await in_database(store.save_spending, second)]
    second.spending.reserved = 30
    told += [await in_database(store.save_spending, second)]

    assert told == [Room.TAKEN, Room.NEVER, Room.TAKEN]
    assert await sums() == (100, 100)

    # The first one's process dies; who goes on with it counts the 70 as spent.
    saved = {"op": "a", "items": {}, "output": None, **empty_op()}
    store.restore(first, [saved], 70)
    first.spending.reserved = 0
    assert await in_database(store.save_spending, first) is Room.TAKEN
    assert await sums() == (100, 100)

    # The second one's call was cheaper than it might have been.
    second.spending.settle(30, 5)
    assert await in_database(store.save_spending, second) is Room.TAKEN
    assert await sums() == (75, 75)


async def test_a_run_waits_for_room_as_long_as_another_worker_has_a_call_under_way(
    gateway,
):
    first, second = await in_a_batch(gateway, limit_nano=100)
    await in_database(lease.claim, "elsewhere/1/a", 1)
    first.spending.reserved = 70
    await in_database(store.save_spending, first)
    looks = wait_in(second)
    waiting = asyncio.create_task(second.spending.reserve([40], "a"))
    while looks.total() < 100:
        await asyncio.sleep(0)

    first.spending.settle(70, 5)  # the call was cheaper than it might have been
    await in_database(store.save_spending, first)

    assert await waiting == 0
    assert await sums() == (45, 45)
    assert max(looks) == LONGEST_PAUSE


@pytest.mark.parametrize("fate", ["ended", "died", "taken over", "spent"])
async def test_nobody_waits_for_money_that_will_not_be_given_back(gateway, fate):
    first, second = await in_a_batch(gateway, limit_nano=100)
    await in_database(lease.claim, "elsewhere/1/a", 1)
    first.spending.reserved = 70
    await in_database(store.save_spending, first)
    rows = WorkflowRun.objects.filter(run_id=first.run_id)
    long_ago = timezone.now() - timedelta(minutes=1)
    match fate:
        case "ended":
            await in_database(rows.update, status="failed")
        case "died":
            await in_database(rows.update, lease_until=long_ago)
        case "taken over":
            await in_database(rows.update, lease_until=long_ago)
            await in_database(lease.claim, "elsewhere/2/b", 1)
        case "spent":
            first.spending.settle(70, 70)
            await in_database(store.save_spending, first)
    wait_in(second)

    with pytest.raises(CostCeiling, match="more than its batch has left"):
        await second.spending.reserve([40], "a")


async def test_a_run_waits_though_whenever_it_looks_another_has_just_taken_the_room(
    gateway,
):
    first, second = await in_a_batch(gateway, limit_nano=100)
    await in_database(lease.claim, "elsewhere/1/a", 1)
    looks = wait_in(second)

    async def look() -> Room:
        taken = looks.total() < 5
        first.spending.reserved = 70 * taken
        await in_database(store.save_spending, first)
        room = await in_database(store.save_spending, second)
        first.spending.reserved = 0
        await in_database(store.save_spending, first)
        return room

    second.spending.write = look

    assert await second.spending.reserve([40], "a") == 0
    assert looks.total() == 5


async def test_who_waits_lets_others_see_what_its_own_failed_call_left(gateway):
    """Else two runs could wait for each other for ever."""
    first, second = await in_a_batch(gateway, limit_nano=100)
    await in_database(lease.claim, "elsewhere/1/a", 2)
    for run, amount in ((first, 60), (second, 40)):
        wait_in(run)
        run.spending.reserved = amount
        await in_database(store.save_spending, run)
    first.spending.settle(60, 30)
    second.spending.settle(40, 30)  # neither is written: their calls are tried again

    with pytest.raises(CostCeiling):
        await asyncio.gather(
            first.spending.reserve([60], "a"), second.spending.reserve([60], "a")
        )
    assert await sums() == (60, 60)


def wait_in(run: Run) -> Counter[float]:
    """The run's own look at its batch; its pauses take no time and are counted."""
    pauses = Counter()

    async def sleep(seconds: float) -> None:
        pauses[seconds] += 1
        await asyncio.sleep(0)

    run.spending = Spending(100, in_batch=True, sleep=sleep)
    run.spending.write = lambda: in_database(store.save_spending, run)
    return pauses


async def in_a_batch(gateway, limit_nano: int) -> list[Run]:
    definition = reader.read(one_op())
    options = Options("background", max_cost_nano=limit_nano, ceiling_of="batch_1")
    desk = Runs.of(gateway.runtime).desk
    caller, inputs = Caller("local"), Inputs()
    runs = [
        planner.make_run(definition, inputs, caller, options, desk) for _ in range(2)
    ]
    await in_database(store.create_batch, "batch_1", runs, limit_nano)
    return runs


def empty_op() -> dict:
    return {name: getattr(OpState(), name) for name in store.OP_FIELDS}


async def sums() -> tuple[int, int]:
    """What the batch may have cost, by its own row and by those of its runs."""

    def read() -> tuple[int, int]:
        runs = WorkflowRun.objects.values_list("at_most_nano", flat=True)
        return BatchCeiling.objects.get().at_most_nano, sum(runs)

    return await in_database(read)
