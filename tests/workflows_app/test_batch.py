import asyncio

import httpx
import orjson
import pytest

from tests.harness import Gateway, Reply
from tests.workflows_app.samples import one_op
from workflows_app.background import Background

# `rules` doesn't look at the input, so that it is one call for all inputs.
WORKFLOW = {
    "end_ops": ["judge"],
    "ops": {
        "rules": {"prompt": "Op rules.", "inputs": {"query": False}},
        "judge": {"prompt": "Op judge.", "input_ops": ["rules"]},
    },
}


@pytest.fixture
async def batch(gateway: Gateway):
    background = Background()
    await background.open(gateway.runtime)

    async def post(query: str = "", **body: object) -> Reply:
        async with httpx.AsyncClient(timeout=30) as client:
            answer = await client.post(
                f"{gateway.url}/v1/workflows/batch{query}", json=body
            )
        return Reply(answer.status_code, answer.headers, answer.text)

    yield post
    await background.close()


async def test_a_batch_gives_a_result_per_input_and_shares_what_is_equal(
    batch, upstream
):
    inputs = ["one", "two", "three", "one"]

    answer = await batch(workflow=WORKFLOW, inputs=inputs)

    assert answer.status == 200
    body = answer.json
    assert (body["status"], body["total"]) == ("succeeded", 4)
    assert [result["index"] for result in body["results"]] == [0, 1, 2, 3]
    for text, result in zip(inputs, body["results"], strict=True):
        assert text in result["final_output"]
    assert body["results"][0]["outputs"] == body["results"][3]["outputs"]
    assert len(upstream.attempts) == 1 + 3
    spent = sum(sum(r["costs"].values()) for r in body["results"])
    assert spent == pytest.approx(body["total_cost_usd"])


async def test_the_plan_counts_what_the_batch_needs(batch, upstream):
    answer = await batch("?explain=1", workflow=WORKFLOW, inputs=["a", "b", "a"])

    plan = answer.json["plan"]
    assert plan["calls"] == {"rules": 1, "judge": 2}
    assert (plan["total_calls"], plan["calls_without_plan"]) == (3, 6)
    assert plan["shared"] == ["rules"]
    assert 0 < plan["cost_usd"]["min"] <= plan["cost_usd"]["max"]
    assert upstream.attempts == []


async def test_a_batch_of_jsonl_is_submitted_followed_and_paged(batch, gateway):
    lines = "\n".join(orjson.dumps({"n": str(n)}).decode() for n in range(5))
    workflow = one_op(prompt="Say {{inputs.n}}.")

    followed = await batch(workflow=workflow, jsonl=lines, stream=True)
    submitted = await batch(workflow=workflow, jsonl=lines, mode="background")

    kinds = [block.split("\n")[0] for block in followed.text.strip().split("\n\n")]
    assert kinds == [
        "event: planned",
        *["event: run_done"] * 5,
        "event: batch_done",
        "data: [DONE]",
    ]
    assert submitted.status == 202
    url = f"{gateway.url}/v1/workflows/batches/{submitted.json['batch_id']}"
    async with httpx.AsyncClient() as client, asyncio.timeout(20):
        while (found := (await client.get(url)).json())["status"] == "running":
            await asyncio.sleep(0.02)
        page = (await client.get(f"{url}?after=2&limit=1")).json()
        unknown = await client.get(f"{url[:-1]}x")
        wrong = await client.get(f"{url}?after=x")
    assert found["counts"] == {"succeeded": 5}
    assert [result["index"] for result in page["results"]] == [3]
    assert (unknown.status_code, wrong.status_code) == (404, 400)


async def test_a_batch_is_cancelled(batch, gateway, upstream):
    upstream.always = "hold"
    submitted = await batch(workflow=one_op(), inputs=["a", "b"], mode="background")
    await upstream.until(lambda: upstream.holding == 2)
    url = f"{gateway.url}/v1/workflows/batches/{submitted.json['batch_id']}"

    async with httpx.AsyncClient() as client, asyncio.timeout(20):
        assert (await client.post(f"{url}/cancel", json={})).status_code == 202
        while (found := (await client.get(url)).json())["status"] == "running":
            await asyncio.sleep(0.02)

    assert found["counts"] == {"cancelled": 2}
    assert upstream.holding == 0


async def test_who_hangs_up_cancels_the_batch(batch, upstream):
    upstream.always = "hold"
    asking = asyncio.create_task(batch(workflow=one_op(), inputs=["a", "b"]))
    await upstream.until(lambda: upstream.holding == 2)

    asking.cancel()

    await upstream.until(lambda: upstream.holding == 0)


async def test_a_run_whose_shared_call_failed_makes_it_itself(batch, upstream):
    upstream.script = ["status-400"]

    answer = await batch(workflow=one_op(), inputs=["a", "a", "a"])

    statuses = sorted(result["status"] for result in answer.json["results"])
    assert statuses == ["failed", "succeeded", "succeeded"]
    assert len(upstream.attempts) == 2


async def test_the_ceiling_of_a_batch_is_shared_out(batch, upstream):
    answer = await batch(
        workflow=one_op(tier=3, max_tokens=10), inputs=["a", "b"], max_cost_usd=0.001
    )

    assert answer.json["counts"] == {"failed": 2}
    assert upstream.attempts == []


@pytest.mark.parametrize(
    "body",
    [
        {"inputs": []},
        {"inputs": "a"},
        {"jsonl": "{"},
        {"inputs": ["a"] * 10_001},
        {"inputs": ["a"], "input": "b"},
        {"inputs": ["a"], "mode": "x"},
    ],
)
async def test_what_is_no_batch_is_refused(batch, body):
    assert (await batch(workflow=one_op(), **body)).status == 400
