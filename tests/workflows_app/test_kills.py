"""R5 for runs: killed wherever it is, a graph ends as if nothing had happened, and the
books have each call that a provider saw."""

import time
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.faultllm import ThreadedFaultLLM
from tests.instance import Instance, kill_group
from tests.workflows_app.followed import look, wait_for_end
from tests.workflows_app.prompts import DIAMOND, ops_called


@pytest.mark.parametrize(
    "finished", [2, *(pytest.param(n, marks=pytest.mark.slow) for n in (0, 1, 3))]
)
def test_a_graph_killed_at_any_op_pays_no_finished_op_again(
    tmp_path: Path, threaded_upstream: ThreadedFaultLLM, finished: int
):
    instance = Instance(tmp_path, threaded_upstream.url)
    threaded_upstream.script = ["ok"] * finished
    threaded_upstream.always = "hold"
    process = instance.start()
    body = {"workflow": DIAMOND, "input": "Hi", "mode": "background"}
    url = instance.url
    answer = httpx.post(f"{url}/v1/workflows", json=body, timeout=20)
    run_id = answer.json()["run_id"]
    under_way = 2 if finished == 1 else 1
    threaded_upstream.wait_until(lambda: threaded_upstream.holding == under_way)
    while len(before := look(url, run_id)["outputs"]) < finished:
        time.sleep(0.05)  # answered, and soon written down
    kill_group(process)
    threaded_upstream.always = ""

    with instance.serving() as url:
        found = wait_for_end(url, run_id)

    assert found["status"] == "succeeded"
    assert sorted(found["outputs"]) == ["a", "b", "c", "d"]
    assert before == {name: found["outputs"][name] for name in before}
    asked = Counter(ops_called(threaded_upstream))
    assert {name for name, times in asked.items() if times > 1}.isdisjoint(before)
    assert sum(asked.values()) == 4 + under_way
    rows = instance.query("SELECT attempt_id FROM gateway_attempt")
    billed = [attempt.attempt_id for attempt in threaded_upstream.attempts]
    assert sorted(row[0] for row in rows) == sorted(billed)
