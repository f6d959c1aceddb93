"""NUL in a text, which PostgreSQL can't hold, costs nobody a row (C11)."""

from pathlib import Path

import httpx
import psycopg
import pytest

from tests.faultllm import ThreadedFaultLLM
from tests.faults.running import wait_for
from tests.instance import Instance

NUL = "a\x00b"
SAYS = [{"role": "user", "content": NUL}]
FLOW = """
name: flow
start_ops: [first]
end_ops: [last]
ops:
  first: {prompt: Say it., tier: 1}
  last: {prompt: Say it again., tier: 1, input_ops: [first]}
"""


@pytest.fixture(params=["sqlite", pytest.param("pg", marks=pytest.mark.service)])
def database(request: pytest.FixtureRequest) -> str:
    """The address of a database of its own; "" is the instance's file."""
    return "" if request.param == "sqlite" else request.getfixturevalue("postgresql")


class Nul(Instance):
    """An instance that keeps texts, on either database."""

    def __init__(self, folder: Path, upstream: str, database: str) -> None:
        self.database = database
        super().__init__(folder, upstream, "logs: {contents: full}\n")

    @property
    def environ(self) -> dict[str, str]:
        more = {"DATABASE_URL": self.database} if self.database else {}
        return {**super().environ, **more}

    def rows(self, sql: str) -> list[tuple]:
        if not self.database:
            return self.query(sql)
        with psycopg.connect(self.database) as connection:
            return connection.execute(sql).fetchall()


def test_c11_nul_in_any_text_costs_no_row(
    tmp_path: Path, threaded_upstream: ThreadedFaultLLM, database: str
):
    instance = Nul(tmp_path, threaded_upstream.url, database)
    chat = "/v1/chat/completions"
    with instance.serving() as url, httpx.Client(base_url=url, timeout=60) as client:
        answers = [
            client.post(path, json={"model": "auto", **body})
            for path, body in (
                (chat, {"messages": SAYS, "user": NUL, "metadata": {NUL: NUL}}),
                (chat, {"messages": SAYS, "stream": True, "seed": 1}),
                (chat, {"messages": SAYS, "stop": NUL}),
                (chat, {"messages": [{"role": "system", "content": NUL}, *SAYS]}),
                ("/v1/messages", {"messages": SAYS, "system": NUL, "max_tokens": 9}),
                ("/v1/responses", {"input": NUL}),
                ("/v1/completions", {"prompt": NUL}),
            )
        ]
    ids = {answer.headers["x-request-id"] for answer in answers}
    stored = instance.rows("SELECT request_id FROM gateway_requestlog")
    kept = instance.rows("SELECT request_id FROM gateway_requestcontent")
    attempts = instance.rows("SELECT attempt_id FROM gateway_attempt")

    assert {answer.status_code for answer in answers} == {200}
    assert len(ids) == len(answers)
    assert {row[0] for row in stored} == ids
    assert {row[0] for row in kept} == ids
    billed = [attempt.attempt_id for attempt in threaded_upstream.attempts]
    assert sorted(row[0] for row in attempts) == sorted(billed)
    assert list((instance.data_dir / "journal").iterdir()) == []


def test_c11_nul_in_a_workflow_costs_no_run_and_no_call_twice(
    tmp_path: Path, threaded_upstream: ThreadedFaultLLM, database: str
):
    instance = Nul(tmp_path, threaded_upstream.url, database)
    sql = "SELECT status, final_output FROM workflows_app_workflowrun ORDER BY id"
    with instance.serving() as url, httpx.Client(base_url=url, timeout=60) as client:
        at_once = client.post("/v1/workflows", json={"workflow": FLOW, "input": NUL})
        later = client.post(
            "/v1/workflows",
            json={"workflow": FLOW, "input": f"{NUL}!", "mode": "background"},
        )
        wait_for(lambda: ended(client, later.json()["run_id"]))
        batch = client.post(
            "/v1/workflows/batch", json={"workflow": FLOW, "inputs": [f"{NUL}?"]}
        )
        runs = instance.rows(sql)
    ops = instance.rows("SELECT op, status FROM workflows_app_oprun")

    # The provider repeats what it is asked, NUL as well.
    assert "\x00" in at_once.json()["final_output"]
    assert [status for status, _ in runs] == ["succeeded"] * 3
    shown = [str(output).replace("\\ufffd", "\ufffd") for _, output in runs]
    assert all("a\ufffdb" in output for output in shown)
    assert sorted(ops) == [("first", "succeeded")] * 3 + [("last", "succeeded")] * 3
    assert batch.status_code == 200
    assert threaded_upstream.total == 6


def ended(client: httpx.Client, run_id: str) -> bool:
    found = client.get(f"/v1/workflows/runs/{run_id}").json()
    return found["status"] not in ("queued", "running")


def test_c11_nothing_has_a_name_with_nul(
    tmp_path: Path, threaded_upstream: ThreadedFaultLLM, database: str
):
    instance = Nul(tmp_path, threaded_upstream.url, database)
    with instance.serving() as url, httpx.Client(base_url=url, timeout=60) as client:
        looked_for = [
            client.get(path)
            for path in (
                "/v1/requests/a%00b",
                "/v1/models/a%00b",
                "/v1/workflows/runs/a%00b",
                "/v1/workflows/runs/a%00b/events",
                "/v1/workflows/batches/a%00b",
            )
        ]
        cancelled = client.post("/v1/workflows/runs/a%00b/cancel", json={})
        vote = client.post("/v1/feedback", json={"request_id": NUL, "quality": 1})
        run = client.post("/v1/workflows", json={"workflow": NUL})

    assert {each.status_code for each in [*looked_for, cancelled, vote]} == {404}
    assert (run.status_code, run.json()["error"]["code"]) == (400, "invalid_workflow")
