import asyncio

import httpx
import pytest
from jsonschema import Draft202012Validator

from gateway.runtime.database import in_database
from tests.workflows_app.samples import STRAWBERRY, one_op, two_ops
from workflows_app.models import Workflow
from workflows_app.runs import Runs
from workflows_app.shapes import BATCH, RUN


async def test_the_references_example_end_to_end(run, upstream):
    answer = await run(STRAWBERRY, "How many rs are in strawberry?")

    assert answer.status == 200
    body = answer.json
    assert list(body) == [
        "outputs",
        "routing",
        "costs",
        "total_ms",
        "final_output",
        "run_id",
    ]
    assert list(body["outputs"]) == ["reason", "critique", "refine"]
    assert body["routing"] == {
        "reason": "small",
        "critique": "medium",
        "refine": "medium",
    }
    assert body["final_output"] == body["outputs"]["refine"]
    assert all(cost > 0 for cost in body["costs"].values())
    assert isinstance(body["total_ms"], int)
    first, second, third = upstream.attempts
    assert (first.body["max_tokens"], second.body["max_tokens"]) == (1024, 512)
    assert first.body["messages"] == [
        {
            "role": "user",
            "content": "Think step by step.\n\n"
            "<input>\nHow many rs are in strawberry?\n</input>",
        }
    ]
    # The pretended model repeats its prompt; what it repeats can't close a block.
    shown = body["outputs"]["critique"].replace("</output>", "<\\/output>")
    assert third.body["messages"][0]["content"] == (
        "Give a correct final answer.\n\n"
        "<input>\nHow many rs are in strawberry?\n</input>\n\n"
        f'<output op="critique">\n{shown}\n</output>'
    )


async def test_a_workflow_may_be_sent_as_json(run):
    answer = await run({"end_ops": ["a"], "ops": {"a": {"prompt": "x", "tier": 3}}})

    assert answer.status == 200
    assert answer.json["routing"] == {"a": "large"}


async def test_what_is_wrong_is_a_400_that_reaches_no_provider(run, upstream):
    for workflow, code in (
        (STRAWBERRY + "    output_ops: [reason]\n", "workflow_cycle"),
        ("end_ops: [a]\nops:\n  a: {promt: x}", "invalid_workflow"),
        ("", "invalid_workflow"),
        (None, "invalid_workflow"),
        (7, "invalid_workflow"),
        ("a: &x [*x]", "invalid_workflow"),
    ):
        answer = await run(workflow)
        assert (answer.status, answer.error["code"]) == (400, code)
        assert answer.error["param"] == "workflow"
    stored = await run("no_such_workflow")
    assert (stored.status, stored.error["code"]) == (404, "workflow_not_found")
    for fields in (
        {"mode": "later"},
        {"nonsense": 1},
        {"max_cost_usd": "1"},
        {"deadline_s": -1},
        {"stream": "yes"},
        {"inputs": [1]},
        {"input": 3},
    ):
        answer = await run(STRAWBERRY, **fields)
        assert (answer.status, answer.error["code"]) == (400, "invalid_request")
    unknown = await run({"end_ops": ["a"], "ops": {"a": {"prompt": "x", "tier": 9}}})
    assert (unknown.status, unknown.error["code"]) == (404, "model_not_found")
    missing = await run(
        {"end_ops": ["a"], "ops": {"a": {"prompt": "{{inputs.topic}}"}}}
    )
    assert "inputs.topic" in missing.error["message"]
    assert upstream.attempts == []


async def test_the_plan_is_shown_without_running_anything(run, upstream):
    answer = await run(STRAWBERRY, query="?explain=1")

    plan = answer.json["plan"]
    assert plan["order"] == ["reason", "critique", "refine"]
    assert plan["critical_path"] == ["reason", "critique", "refine"]
    assert plan["tiers"] == {"reason": 1, "critique": 2, "refine": 2}
    cost = plan["cost_usd"]
    assert 0 < cost["min"] <= cost["expected"] <= cost["max"]
    assert upstream.attempts == []


async def test_the_plan_reads_stored_answers_as_the_run_does(run, upstream):
    exact = {"temperature": 0, "retries": 0}
    workflow = two_ops({**exact, "json_schema": {"type": "object"}}, exact)
    upstream.script = ["say=no", "say=```json\n{}\n```", "ok"]

    await run(workflow, "unfit")
    unfit = await run(workflow, "unfit", query="?explain=1")
    await run(workflow, "fenced")
    fenced = await run(workflow, "fenced", query="?explain=1")

    assert unfit.json["plan"]["cached"] == []
    assert fenced.json["plan"]["cached"] == ["a", "b"]


async def test_a_request_may_make_a_deadline_stricter_and_not_looser(run):
    workflow = {**one_op(), "deadline_s": 3}

    met = [
        (await run(workflow, query="?explain=1", deadline_s=seconds)).json["plan"]
        for seconds in (1, 1000)
    ]
    free = await run(one_op(), query="?explain=1", deadline_s=1000)

    assert [plan["meets_deadline"] for plan in met] == [False, False]
    assert free.json["plan"]["meets_deadline"]


@pytest.mark.parametrize("input", ["a text", ["a", "list"], {"topic": "ants"}])
async def test_every_input_that_is_taken_is_in_the_openapi_document(run, input):
    body = {"workflow": one_op(), "input": input, "inputs": {"parts": ["x"]}}
    for schema, each in (
        (RUN, body),
        (BATCH, {"workflow": one_op(), "inputs": [input]}),
    ):
        Draft202012Validator(schema).validate(each)

    answer = await run(one_op(), input, inputs=body["inputs"])

    assert answer.status == 200


async def test_errors_are_told_in_the_clients_dialect(run):
    answer = await run(STRAWBERRY + "x", headers={"anthropic-version": "2023-06-01"})

    assert answer.status == 400
    assert answer.json["type"] == "error"
    assert answer.json["error"]["type"] == "invalid_request_error"


async def test_a_run_is_submitted_and_looked_at_later(run, gateway):
    submitted = await run(STRAWBERRY, mode="background")

    assert submitted.status == 202
    found = await until_ended(gateway, submitted.json["run_id"])
    assert found["status"] == "succeeded"
    assert list(found["outputs"]) == ["reason", "critique", "refine"]
    assert found["ops"]["refine"]["backend"] == "medium"
    assert found["ops"]["refine"]["cost_usd"] == found["costs"]["refine"] > 0


async def test_a_run_that_was_waited_for_can_be_looked_at_too(run, gateway):
    answer = await run(STRAWBERRY)

    found = await until_ended(gateway, answer.json["run_id"])
    assert {name: found[name] for name in answer.json} == answer.json


async def test_what_must_not_be_stored_is_not(run, gateway):
    answer = await run(STRAWBERRY, store=False)

    assert answer.status == 200
    await Runs.of(gateway.runtime).close()
    assert await look(gateway, answer.json["run_id"]) == 404


async def test_a_run_is_cancelled_and_its_calls_stop(run, gateway, upstream):
    upstream.always = "hold"
    submitted = await run(STRAWBERRY, mode="background")
    await upstream.until(lambda: upstream.holding == 1)

    async with httpx.AsyncClient() as client:
        url = f"{gateway.url}/v1/workflows/runs/{submitted.json['run_id']}"
        cancelled = await client.post(f"{url}/cancel", json={})
        again = await client.post(f"{url[:-1]}/cancel", json={})

    assert (cancelled.status_code, again.status_code) == (202, 404)
    await upstream.until(lambda: upstream.holding == 0)
    found = await until_ended(gateway, submitted.json["run_id"])
    assert found["status"] == "cancelled"
    assert found["error"]["code"] == "run_cancelled"
    assert found["ops"]["reason"]["status"] == "cancelled"


async def test_the_client_who_hangs_up_ends_the_run(run, gateway, upstream):
    for fields in ({}, {"stream": True}):
        upstream.always = "hold"
        asking = asyncio.create_task(run(STRAWBERRY, **fields))
        await upstream.until(lambda: upstream.holding == 1)

        asking.cancel()

        await upstream.until(lambda: upstream.holding == 0)
        await gateway.settled()
        assert len(Runs.of(gateway.runtime)) == 0
    assert len(upstream.attempts) == 2


async def test_a_stored_workflow_is_run_by_its_name(run):
    def add() -> None:
        row = Workflow(name="strawberry", text=STRAWBERRY)
        row.full_clean()
        row.save()

    await in_database(add)

    answer = await run("strawberry", "How many?")

    assert answer.status == 200
    assert answer.json["final_output"]


async def look(gateway, run_id):
    async with httpx.AsyncClient() as client:
        found = await client.get(f"{gateway.url}/v1/workflows/runs/{run_id}")
    return found.json() if found.status_code == 200 else found.status_code


async def until_ended(gateway, run_id):
    async with asyncio.timeout(20):
        while (found := await look(gateway, run_id))["status"] in (
            "queued",
            "running",
        ):
            await asyncio.sleep(0.02)
    return found
