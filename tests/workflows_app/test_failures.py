"""Ops that fail, and what becomes of their run."""

import pytest

from tests.workflows_app.prompts import DIAMOND, ops_called, prompts
from tests.workflows_app.samples import one_op, two_ops


async def test_an_output_that_does_not_fit_its_schema_is_asked_for_again(run, upstream):
    answer = await run(one_op(json_schema={"type": "object"}, retries=1))

    assert answer.status == 502
    assert "does not fit json_schema: it is not JSON" in answer.error["message"]
    assert len(upstream.attempts) == 2
    sent = upstream.attempts[0].body["response_format"]
    assert sent["json_schema"] == {"name": "a", "schema": {"type": "object"}}


async def test_a_failed_op_is_tried_again(run, upstream):
    upstream.script = ["status-400", "ok"]
    refused = await run(one_op(prompt="1", retries=3))
    upstream.script = ["empty-200", "empty-200", "empty-200", "ok"]
    retried = await run(one_op(prompt="2", tier=1, retries=3))

    assert refused.status == 502
    assert retried.status == 200


async def test_who_fails_is_told_with_what_the_run_has(run, upstream, gateway):
    upstream.script = ["ok", "status-400"]

    answer = await run(two_ops())

    assert (answer.status, answer.error["code"]) == (502, "workflow_failed")
    assert answer.error["message"].startswith('Op "b" failed: ')
    body = answer.json
    assert list(body["outputs"]) == ["a"]
    assert body["costs"]["a"] > 0
    assert body["ops"]["a"]["status"] == "succeeded"
    assert body["ops"]["b"]["status"] == "failed"
    assert len(gateway.records("attempt")) == 2


async def test_on_error_skip_goes_on_without_it(run, upstream):
    upstream.script = ["status-400", "ok"]
    ops = {
        "a": {"prompt": "Op a.", "on_error": "skip"},
        "b": {"prompt": "Op b."},
        "c": {"prompt": "Op c.", "input_ops": ["a", "b"]},
    }
    upstream.always = ""

    answer = await run({"end_ops": ["c"], "ops": ops})

    assert answer.status == 200
    assert len(answer.json["outputs"]) == 2
    assert "c" in answer.json["outputs"]


async def test_on_error_fallback_op_stands_in(run, upstream):
    upstream.script = ["status-400", "ok", "ok"]
    workflow = {
        "end_ops": ["b"],
        "ops": {
            "a": {"prompt": "Op a.", "on_error": "fallback_op", "fallback_op": "spare"},
            "spare": {"prompt": "Op spare."},
            "b": {"prompt": "Op b.", "input_ops": ["a"]},
        },
    }

    answer = await run(workflow)

    assert list(answer.json["outputs"]) == ["a", "b"]
    assert ops_called(upstream) == ["a", "spare", "b"]
    assert '<output op="a">' in prompts(upstream)[-1]


async def test_a_timeout_fails_the_op_and_ends_its_call(run, upstream, gateway):
    upstream.always = "stall-before-headers"

    answer = await run(one_op(timeout_s=0.05, retries=0))

    assert answer.status == 502
    assert "longer than its timeout_s (0.05)" in answer.error["message"]
    await gateway.settled()


async def test_a_failure_ends_the_siblings(run, upstream, gateway):
    upstream.script = ["ok", "hold", "status-400"]

    answer = await run(DIAMOND)

    assert answer.status == 502
    await upstream.until(lambda: upstream.holding == 0)
    await gateway.settled()
    statuses = {n: op["status"] for n, op in answer.json["ops"].items()}
    assert sorted(statuses.values()) == [
        "cancelled",
        "failed",
        "succeeded",
        "waiting",
    ]
    assert len(gateway.records("attempt")) == 3


LINES = {"over": "input", "split": "lines"}


@pytest.mark.parametrize(
    "several",
    [{"samples": 2}, {"prompt": "{{item}}", "map": LINES}],
    ids=["samples", "items"],
)
async def test_d18_a_failed_call_of_an_op_ends_its_others(
    run, upstream, gateway, several
):
    upstream.script = ["hold", "status-400"]

    answer = await run(one_op(tier=1, **several), input="one\ntwo")

    assert (answer.status, answer.error["code"]) == (502, "workflow_failed")
    await upstream.until(lambda: upstream.holding == 0)
    await gateway.settled()
    assert upstream.total == len(gateway.records("attempt")) == 2
