"""D18: every fault at every op, and the client who leaves at each of them. Whatever
happens, each call that a provider saw has its row, and nothing is left behind."""

import asyncio

import pytest

from tests.workflows_app.prompts import DIAMOND
from workflows_app.runs import Runs

OPS = ("a", "b", "c", "d")
LONG = ("status-500", "half-json", "html-200", "length", "refusal")
FAULTS = (
    "status-400",
    "rst-after-0",
    "stall-before-headers",
    *(pytest.param(fault, marks=pytest.mark.slow) for fault in LONG),
)
IMPATIENT = {
    **DIAMOND,
    "ops": {
        name: {**op, "timeout_s": 0.4, "retries": 0, "tier": 1}
        for name, op in DIAMOND["ops"].items()
    },
}


async def nothing_is_left(gateway, upstream) -> None:
    await gateway.settled()
    assert len(Runs.of(gateway.runtime)) == 0
    await upstream.until(lambda: upstream.in_flight == 0)
    rows = {row["attempt_id"] for row in gateway.records("attempt")}
    assert rows == {attempt.attempt_id for attempt in upstream.attempts}
    assert len(rows) == len(upstream.attempts)
    for record in gateway.records("request"):
        assert record["outcome"] in ("ok", "error", "client_closed")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("at", range(len(OPS)))
async def test_d18_a_fault_at_an_op(run, gateway, upstream, at, fault):
    upstream.script = ["ok"] * at + [fault]

    answer = await run(IMPATIENT)

    if fault in ("length", "refusal") and answer.status == 200:
        assert list(answer.json["outputs"]) == list(OPS)
    else:
        assert (answer.status, answer.error["code"]) == (502, "workflow_failed")
        states = {name: op["status"] for name, op in answer.json["ops"].items()}
        assert list(states.values()).count("failed") == 1
        for name in answer.json["outputs"]:
            assert states[name] == "succeeded"
        assert answer.json["total_cost_usd"] >= sum(answer.json["costs"].values()) > -1
    await nothing_is_left(gateway, upstream)


@pytest.mark.parametrize(
    "mode", ["wait", pytest.param("follow", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("at", range(len(OPS)))
async def test_d18_the_client_leaves_at_an_op(run, gateway, upstream, at, mode):
    upstream.script = ["ok"] * at + ["hold"] * 4
    asking = asyncio.create_task(run(DIAMOND, mode=mode))
    await upstream.until(lambda: upstream.total > at and upstream.holding >= 1)

    asking.cancel()

    await upstream.until(lambda: upstream.holding == 0)
    await nothing_is_left(gateway, upstream)
