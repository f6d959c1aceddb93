"""Runs that are followed: by who started them, and by whoever comes later."""

import httpx
import orjson

from tests.workflows_app.samples import STRAWBERRY
from workflows_app.background import look_once
from workflows_app.call import Turn
from workflows_app.runs import Runs


def events_in(text: str) -> list[dict]:
    blocks = text.strip().split("\n\n")
    assert blocks.pop() == "data: [DONE]"
    events = []
    for block in blocks:
        name, data = block.split("\n")
        events.append(orjson.loads(data.removeprefix("data: ")))
        assert name == f"event: {events[-1]['type']}"
    return events


async def test_a_run_is_followed(run):
    answer = await run(STRAWBERRY, stream=True, deltas=True)

    assert answer.headers["content-type"].startswith("text/event-stream")
    events = events_in(answer.text)
    kinds = [event["type"] for event in events]
    assert kinds[0] == "planned" and kinds[-1] == "run_done"
    for op in ("reason", "critique", "refine"):
        mine = [event for event in events if event.get("op") == op]
        assert mine[0]["type"] == "op_started"
        assert mine[-1]["type"] == "op_done"
        said = "".join(e["text"] for e in mine if e["type"] == "op_delta")
        assert said == mine[-1]["output"]
    assert events[-1]["status"] == "succeeded"
    assert list(events[-1]["outputs"]) == ["reason", "critique", "refine"]


async def test_a_background_run_is_followed_by_whoever_comes(run, gateway, upstream):
    upstream.script = ["ok", "hold"]
    submitted = await run(STRAWBERRY, mode="background", deltas=True)
    await upstream.until(lambda: upstream.holding == 1)
    address = f"{gateway.url}/v1/workflows/runs/{submitted.json['run_id']}/events"

    async with httpx.AsyncClient(timeout=30) as client:
        async with client.stream("GET", address) as leaves_at_once:
            assert leaves_at_once.status_code == 200
        following = client.stream("GET", address)
        async with following as answer:
            lines = answer.aiter_lines()
            seen = [await anext(lines) for _ in range(10)]  # of three events, and some
            upstream.release()
            seen += [line async for line in lines]
        live = events_in("\n".join(seen))
        later = events_in((await client.get(address)).text)

    ops = ["reason", "critique", "refine"]
    assert live[0]["type"] == "planned"
    for op in ops:
        kinds = [e["type"] for e in live if e.get("op") == op]
        assert (kinds[0], kinds[-1]) == ("op_started", "op_done")
        assert kinds.count("op_started") == kinds.count("op_done") == 1
    said = "".join(e["text"] for e in live if e["type"] == "op_delta")
    assert live[-1]["outputs"]["refine"] in said
    assert later == [e for e in live if e["type"] != "op_delta"]
    done = [e for e in live if e["type"] in ("op_done", "run_done")]
    assert [e["op"] for e in done[:-1]] == ops
    assert (done[-1]["type"], done[-1]["status"]) == ("run_done", "succeeded")
    assert done[-1]["outputs"] == {e["op"]: e["output"] for e in done[:-1]}


async def test_a_run_of_another_worker_is_followed_as_it_goes_on(
    run, gateway, upstream
):
    upstream.script = ["ok", "hold"]
    submitted = await run(STRAWBERRY, mode="background", deltas=True)
    run_id = submitted.json["run_id"]
    address = f"{gateway.url}/v1/workflows/runs/{run_id}"
    theirs = gateway.runtime.services.pop(Runs)  # this one has never heard of the run
    seen: list[str] = []

    async with (
        httpx.AsyncClient(timeout=30) as client,
        client.stream("GET", f"{address}/events") as answer,
    ):
        lines = answer.aiter_lines()

        async def until(text: str) -> None:
            async for line in lines:
                seen.append(line)
                if text in line:
                    return

        await until('"op_started","op":"critique"')
        held = theirs.find(run_id, "local")
        held.hear("critique", Turn(), "The count ")
        theirs.writer.mark(held, "critique")
        await until('"op_delta","op":"critique"')
        going = (await client.get(address)).json()
        upstream.release()
        await until("[DONE]")
    await theirs.close()

    events = events_in("\n".join(seen))
    assert [(e["type"], e.get("op")) for e in events] == [
        ("planned", None),
        *((kind, "reason") for kind in ("op_started", "op_done")),
        *((kind, "critique") for kind in ("op_started", "op_delta", "op_done")),
        *((kind, "refine") for kind in ("op_started", "op_done")),
        ("run_done", None),
    ]
    assert events[4]["text"] == "The count "
    states = [op["status"] for op in going["ops"].values()]
    assert states == ["succeeded", "running", "waiting"]
    assert list(going["outputs"]) == ["reason"]


async def test_each_op_that_ends_is_told_also_of_a_run_that_fails(run, upstream):
    workflow = {
        "end_ops": ["a", "twin", "b"],
        "ops": {
            "a": {"prompt": "Same.", "temperature": 0},
            "twin": {"prompt": "Same.", "temperature": 0},
            "b": {"prompt": "Then.", "input_ops": ["a"], "retries": 0},
        },
    }
    upstream.script = ["ok", "status-400"]

    events = events_in((await run(workflow, stream=True)).text)

    done = [(e["op"], e["status"]) for e in events if e["type"] == "op_done"]
    assert done == [("a", "succeeded"), ("twin", "merged"), ("b", "failed")]
    assert events[-1]["status"] == "failed"


async def test_who_follows_hears_the_end_from_the_process_that_takes_over(
    run, gateway, upstream
):
    upstream.script = ["ok", "hold"]
    submitted = await run(STRAWBERRY, mode="background")
    await upstream.until(lambda: upstream.holding == 1)
    run_id = submitted.json["run_id"]
    address = f"{gateway.url}/v1/workflows/runs/{run_id}/events"

    async with (
        httpx.AsyncClient(timeout=30) as client,
        client.stream("GET", address) as answer,
    ):
        lines = answer.aiter_lines()
        seen = [await anext(lines)]
        await Runs.of(gateway.runtime).close()
        gateway.runtime.services.clear()  # another process, so to say
        await look_once(Runs.of(gateway.runtime))
        seen += [line async for line in lines]

    events = events_in("\n".join(seen))
    done = [event["op"] for event in events if event["type"] == "op_done"]
    assert sorted(done) == ["critique", "reason", "refine"]
    assert (events[-1]["type"], events[-1]["status"]) == ("run_done", "succeeded")
