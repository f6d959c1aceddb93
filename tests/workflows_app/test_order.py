"""When an op starts, and where it goes."""

import asyncio
from dataclasses import replace

from tests.harness import serving, three_tiers
from tests.workflows_app.conftest import run_on
from tests.workflows_app.prompts import DIAMOND, ops_called
from workflows_app.runs import Runs


async def test_branches_run_at_the_same_time(run, upstream):
    upstream.script = ["ok", "hold", "hold"]
    asking = asyncio.create_task(run(DIAMOND))

    await upstream.until(lambda: upstream.holding == 2)
    upstream.release()

    answer = await asking
    assert answer.status == 200
    assert ops_called(upstream)[0] == "a"
    assert sorted(ops_called(upstream)[1:3]) == ["b", "c"]
    assert ops_called(upstream)[3] == "d"


async def test_an_op_starts_the_moment_its_own_inputs_are_there(run, upstream):
    """`c` waits for `a` alone; a barrier per level would hold it until `slow` ends."""
    workflow = {
        "end_ops": ["c", "slow"],
        "ops": {
            "slow": {"prompt": "Op slow."},
            "a": {"prompt": "Op a."},
            "c": {"prompt": "Op c.", "input_ops": ["a"]},
        },
    }
    upstream.script = ["hold", "ok", "ok"]
    asking = asyncio.create_task(run(workflow))

    await upstream.until(lambda: upstream.total == 3 and upstream.holding == 1)
    upstream.release()

    assert (await asking).status == 200


async def test_consecutive_ops_of_one_tier_prefer_the_same_backend(
    upstream, tmp_path, database
):
    catalog = three_tiers(upstream.url)
    more = [replace(catalog.backends[0], name=f"small-{n}", id=n) for n in range(3)]
    catalog = replace(catalog, backends=(*catalog.backends, *more))
    chain = {f"o{n}": {"prompt": f"{n}", "tier": 1} for n in range(8)}
    for number in range(1, 8):
        chain[f"o{number}"]["input_ops"] = [f"o{number - 1}"]
    async with serving(catalog, tmp_path / "journal") as gateway:
        answer = await run_on(gateway, {"end_ops": ["o7"], "ops": chain})
        await Runs.of(gateway.runtime).close()

    assert len(set(answer.json["routing"].values())) == 1


async def test_the_first_of_a_fan_out_leads_until_its_first_token(run, upstream):
    long = "The same rules for everybody. " * 200
    ops = {f"o{n}": {"prompt": long + "{{input}}" + str(n)} for n in range(4)}
    upstream.script = ["hold", "ok", "ok", "ok"]
    asking = asyncio.create_task(run({"end_ops": list(ops), "ops": ops}))
    await upstream.until(lambda: upstream.holding == 1)

    await asyncio.sleep(0)
    assert upstream.total == 1
    upstream.release()

    answer = await asking
    assert answer.status == 200
    assert upstream.total == 4
    assert len(set(answer.json["routing"].values())) == 1


async def test_a_run_keeps_its_place_until_it_is_done(upstream, tmp_path, database):
    """ParrotServe's ordering: with one place, chain after chain instead of all of them
    a step at a time."""
    catalog = three_tiers(upstream.url)
    narrow = replace(catalog.backends[0], max_in_flight=1)
    catalog = replace(catalog, backends=(narrow, *catalog.backends[1:]))

    def chain(name: str) -> dict:
        ops = {"o0": {"prompt": f"Op {name}.", "tier": 1}}
        for n in range(1, 3):
            before = {"input_ops": [f"o{n - 1}"], "inputs": {"query": False}}
            ops[f"o{n}"] = {"prompt": f"Op {name}.", "tier": 1, **before}
        return {"end_ops": ["o2"], "ops": ops}

    upstream.script = ["hold"]
    async with serving(catalog, tmp_path / "journal") as gateway:
        asking = []
        for name in "abcd":
            asking.append(
                asyncio.create_task(run_on(gateway, chain(name), store=False))
            )
            async with asyncio.timeout(10):
                while len(Runs.of(gateway.runtime)) < len(asking):
                    await asyncio.sleep(0.01)
        await upstream.until(lambda: upstream.holding == 1)
        upstream.release()
        answers = await asyncio.gather(*asking)
        await Runs.of(gateway.runtime).close()

    assert {answer.status for answer in answers} == {200}
    order = ops_called(upstream)
    assert order == sorted(order)
