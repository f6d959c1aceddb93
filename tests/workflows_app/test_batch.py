import asyncio

import httpx
import orjson
import pytest

from gateway.runtime.database import in_database
from tests.harness import Gateway, Reply
from tests.workflows_app.samples import one_op
from workflows_app import records
from workflows_app.background import Background
from workflows_app.models import BatchCeiling, Workflow, WorkflowRun

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


async def test_the_cost_of_a_batch_is_told_for_its_shortest_and_longest_inputs(batch):
    short, long = "a", "long " * 5000
    plans = [
        (await batch("?explain=1", workflow=one_op(tier=3), inputs=inputs)).json["plan"]
        for inputs in ([short, long], [long, short], [long, long + "!"])
    ]

    one, other, longer = (plan["cost_usd"] for plan in plans)
    assert one == other
    assert one["min"] < longer["min"]
    assert one["max"] == pytest.approx(longer["max"], rel=0.01)


async def test_results_that_came_together_are_told_in_the_order_of_the_inputs(gateway):
    ended = {"scope": "local", "mode": "background", "status": "succeeded", "text": ""}
    rows = [
        WorkflowRun(run_id=f"run_{number}", batch="batch_1", number=number, **ended)
        for number in (2, 0, 3, 1)
    ]
    await in_database(WorkflowRun.objects.bulk_create, rows)

    found = await in_database(records.new_results, "batch_1", frozenset({0}), 2)

    assert [result["index"] for result in found] == [1, 2]


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


async def test_runs_that_share_an_answer_that_does_not_fit_share_the_next_one(
    batch, upstream
):
    workflow = one_op(json_schema={"type": "object"}, temperature=0)
    upstream.script = ["say=no", 'say={"n": 1}']

    answer = await batch(workflow=workflow, inputs=["same"] * 3)

    outputs = [result["outputs"] for result in answer.json["results"]]
    assert outputs == [{"a": '{"n": 1}'}] * 3
    assert len(upstream.attempts) == 2


async def test_the_runs_of_a_batch_share_its_ceiling_and_never_overshoot_it(
    batch, upstream
):
    # Each may cost up to $0.0042 and costs $0.0006: who finds no room beside others
    # waits for what they give back, until nobody holds any and too little is left.
    inputs = [f"question {number}" for number in range(12)]
    ceiling = 0.01

    answer = await batch(
        workflow=one_op(tier=3, max_tokens=10), inputs=inputs, max_cost_usd=ceiling
    )

    body = answer.json
    assert body["counts"].keys() == {"succeeded", "failed"}
    assert body["counts"]["succeeded"] == 10
    assert len(upstream.attempts) == body["counts"]["succeeded"]
    assert 0 < body["total_cost_usd"] <= ceiling
    failed = [r["error"] for r in body["results"] if r["status"] == "failed"]
    assert all("left of max_cost_usd" in error for error in failed)
    [room] = await in_database(lambda: list(BatchCeiling.objects.all()))
    spent = await in_database(
        lambda: sum(WorkflowRun.objects.values_list("cost_nano", flat=True))
    )
    assert room.at_most_nano == spent == round(body["total_cost_usd"] * 1e9)


async def test_one_run_may_use_what_the_others_leave(batch, upstream):
    workflow = {
        "end_ops": ["b"],
        "ops": {
            "a": {"prompt": "{{input}}", "tier": 3, "max_tokens": 10},
            "b": {"prompt": "Op b.", "tier": 3, "max_tokens": 10, "input_ops": ["a"]},
        },
    }
    answer = await batch(workflow=workflow, inputs=["only one"], max_cost_usd=0.006)
    assert answer.json["status"] == "succeeded"


async def test_a_batch_that_can_pay_for_no_call_makes_none(batch, upstream):
    answer = await batch(
        workflow=one_op(tier=3, max_tokens=10), inputs=["a", "b"], max_cost_usd=0.0001
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


async def test_an_input_that_is_none_is_told_by_its_place(batch):
    answer = await batch(workflow=one_op(), inputs=["a", "b", 3])

    assert answer.status == 400
    assert answer.json["error"]["param"] == "inputs[2]"
    assert answer.json["error"]["message"].startswith("inputs[2]: ")


@pytest.mark.parametrize("kind", ["application/jsonl", "application/x-ndjson"])
async def test_a_body_of_lines_is_a_batch_told_by_its_address(
    batch, gateway, upstream, kind
):
    lines = '"Hello"\n"World"\n\n{"n": "3"}\n'
    where = f"{gateway.url}/v1/workflows/batch?workflow=greet&max_cost_usd=1"
    await in_database(
        Workflow.objects.create,
        name="greet",
        text=orjson.dumps(one_op(prompt="Greet.")).decode(),
    )
    async with httpx.AsyncClient(timeout=30) as client:
        answer = await client.post(
            where, content=lines.encode(), headers={"content-type": kind}
        )

    assert answer.status_code == 200, answer.text
    assert [each["index"] for each in answer.json()["results"]] == [0, 1, 2]
    assert answer.json()["status"] == "succeeded"


@pytest.mark.parametrize(
    ("query", "lines", "told"),
    [
        ("workflow=greet", b'"a"\n{"n": 1\n', "jsonl, line 2: "),
        ("workflow=greet", b'{"n": "1", "n": "2"}', "jsonl, line 1: The key 'n'"),
        ("workflow=greet", b"\xff", "not UTF-8"),
        ("workflow=greet", b"", "There are no inputs"),
        ("workflow=greet&max_cost_usd=lots", b'"a"', "max_cost_usd must be a number."),
        ("workflow=greet&inputs=a", b'"a"', "inputs is the body here."),
        ("workflow=greet&colour=red", b'"a"', "There is no 'colour' here"),
        ("", b'"a"', "workflow must be"),
    ],
)
async def test_lines_that_are_no_batch_are_refused_by_their_number(
    batch, gateway, upstream, query, lines, told
):
    async with httpx.AsyncClient(timeout=30) as client:
        answer = await client.post(
            f"{gateway.url}/v1/workflows/batch?{query}",
            content=lines,
            headers={"content-type": "application/jsonl"},
        )
        elsewhere = await client.post(
            f"{gateway.url}/v1/workflows",
            content=lines,
            headers={"content-type": "application/jsonl"},
        )

    assert answer.status_code == 400
    assert told in answer.json()["error"]["message"]
    assert elsewhere.status_code == 415
    assert upstream.attempts == []
