"""Votes streamed through the running gateway, with answers whose quality is known."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import httpx
import pytest

from routing.learned.evaluate import compare
from routing.learned.model import QualityModel
from tests.instance import Instance
from tests.routing.learned.online import (
    EVAL_DATA,
    apgr,
    body,
    endless,
    gains,
    mix14,
    scores,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not EVAL_DATA, reason="LLM_ROUTER_EVAL_DATA names no folder"),
]
CONFIG = """
models:
  - {{name: weak, provider: openai-compatible, model: weak, base_url: "{url}",
     cost_per_1k_in: 0.0002, cost_per_1k_out: 0.0002, tier: 1}}
  - {{name: strong, provider: openai-compatible, model: strong, base_url: "{url}",
     cost_per_1k_in: 0.0024, cost_per_1k_out: 0.0024, tier: 2}}
cache: {{enabled: false}}
sharing: {{enabled: false}}
learned: {{learning: auto}}
routing: {{cold_start: baseline}}
"""
NAMES = {1: "weak", 2: "strong"}
AT_ONCE = 4
STEP = 200  # votes, and then the gateway may train


def stream(client: httpx.Client, rows: Iterator[dict], votes: int) -> None:
    """Ask so many prompts, and vote on each answer by the label of who gave it."""

    def ask(row: dict) -> tuple[str, float]:
        reply = client.post("/v1/chat/completions", json=body(row)).raise_for_status()
        tier = int(reply.headers["x-llm-router-tier"])
        return reply.headers["x-request-id"], row[NAMES[tier]]

    def vote(judged: tuple[str, float]) -> None:
        request_id, quality = judged
        sent = {"request_id": request_id, "quality": quality}
        while client.post("/v1/feedback", json=sent).status_code == 404:
            time.sleep(0.1)  # its row is a moment behind

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in range(votes // STEP):
            list(pool.map(vote, list(pool.map(ask, [next(rows) for _ in range(STEP)]))))


def deciding(instance: Instance) -> QualityModel | None:
    rows: Sequence = instance.query(
        "SELECT data FROM routing_routermodel WHERE status = 'active'"
    )
    return QualityModel.load(rows[0][0]) if rows else None


def trained_on(instance: Instance, votes: int) -> None:
    """Wait until nothing is left to train or to let decide."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        [[newest]] = instance.query("SELECT max(newest_vote) FROM routing_learningturn")
        busy = instance.query(
            "SELECT 1 FROM routing_learningturn WHERE taken_at IS NOT NULL"
        )
        if (newest or 0) > votes - STEP and not busy:
            return
        time.sleep(0.2)
    raise AssertionError(f"Nothing was learned:\n{instance.log[-2000:]}")


def test_a_gateway_without_a_router_learns_one_from_votes(
    threaded_upstream, tmp_path: Path
):
    rows, test = mix14()
    asked = endless(rows, Random(1))
    instance = Instance(tmp_path, threaded_upstream.url)
    instance.config.write_text(CONFIG.format(url=threaded_upstream.url))

    with (
        instance.serving() as url,
        httpx.Client(base_url=url, timeout=30) as client,
    ):
        stream(client, asked, 1000)
        trained_on(instance, 1000)
        early = deciding(instance)
        stream(client, asked, 4000)
        trained_on(instance, 5000)
        late = deciding(instance)

    assert apgr(early, test) >= 0.665
    assert apgr(late, test) >= 0.68
    found = compare(scores(late, test), scores(None, test), gains(test), "heuristic")
    assert found.low > 0
    lessons = instance.query("SELECT count(*), min(chance) FROM routing_lesson")
    assert lessons[0][0] == 5000
    assert lessons[0][1] > 0
    versions = instance.query("SELECT DISTINCT status FROM routing_routermodel")
    assert {"active", "retired"} <= {status for (status,) in versions}
