"""Votes streamed through the running gateway, with answers whose quality is known."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from random import Random

import httpx
import pytest

from benchmarks.votes import (
    apgr,
    body,
    endless,
    gains,
    mix14,
    scores,
)
from routing.learned.evaluate import compare
from routing.learned.model import QualityModel
from tests.gateway.learning import CONFIG
from tests.instance import Instance
from tests.labelled import needs_labelled_data
from tests.routing.learned.samples import prompt as sample

NAMES = {1: "weak", 2: "strong"}
AT_ONCE = 4
STEP = 200  # votes, and then the gateway may train


def ask(client: httpx.Client, row: dict) -> tuple[str, float]:
    reply = client.post("/v1/chat/completions", json=body(row)).raise_for_status()
    tier = int(reply.headers["x-llm-router-tier"])
    return reply.headers["x-request-id"], row[NAMES[tier]]


def stream(client: httpx.Client, rows: Iterator[dict], votes: int) -> None:
    """Ask so many prompts, and vote on each answer by the label of who gave it."""

    def vote(judged: tuple[str, float]) -> None:
        request_id, quality = judged
        sent = {"request_id": request_id, "quality": quality}
        while client.post("/v1/feedback", json=sent).status_code == 404:
            time.sleep(0.1)  # its row is a moment behind

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for start in range(0, votes, STEP):
            batch = [next(rows) for _ in range(min(STEP, votes - start))]
            list(pool.map(vote, list(pool.map(partial(ask, client), batch))))


def deciding_after(
    instance: Instance, votes: int, watch: Callable[[], object]
) -> QualityModel:
    """The router of so many votes, once it was watched and decides."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        watch()
        newest: Sequence = instance.query(
            "SELECT data, status, metrics FROM routing_routermodel "
            "ORDER BY version DESC LIMIT 1"
        )
        for data, status, metrics in newest:
            learned = json.loads(metrics)["learned"]["votes"]
            if status == "active" and learned > votes - STEP:
                return QualityModel.load(data)
        time.sleep(0.5)
    raise AssertionError(f"Nothing was learned:\n{instance.log[-2000:]}")


@pytest.mark.slow
@needs_labelled_data
def test_a_gateway_without_a_router_learns_one_from_votes(
    threaded_upstream, tmp_path: Path
):
    rows, test = mix14()
    asked = endless(rows, Random(1))
    instance = Instance(tmp_path, threaded_upstream.url)
    instance.config.write_text(CONFIG.format(url=threaded_upstream.url))

    def watch() -> None:
        stream(client, asked, 20)  # those who vote go on

    with (
        instance.serving() as url,
        httpx.Client(base_url=url, timeout=30) as client,
    ):
        stream(client, asked, 1000)
        early = deciding_after(instance, 1000, watch)
        stream(client, asked, 4000)
        late = deciding_after(instance, 5000, watch)

    assert apgr(early, test) >= 0.665
    assert apgr(late, test) >= 0.68
    found = compare(scores(late, test), scores(None, test), gains(test), "heuristic")
    assert found.low > 0
    lessons = instance.query("SELECT count(*), min(chance) FROM routing_lesson")
    assert lessons[0][0] > 5000
    assert lessons[0][1] > 0
    versions = instance.query("SELECT DISTINCT status FROM routing_routermodel")
    assert {"active", "retired"} <= {status for (status,) in versions}


def test_enough_votes_are_learned_from_in_a_process_of_its_own(
    threaded_upstream, tmp_path: Path
):
    instance = Instance(tmp_path, threaded_upstream.url)
    instance.config.write_text(
        CONFIG.format(url=threaded_upstream.url).replace(
            "learning: auto", "learning: watch, exploration: 1, refit_every: 60"
        )
    )
    random = Random(3)
    prompts = (sample(random) for _ in range(60))
    rows = ({"prompt": p, "weak": 1.0 - hard, "strong": 1.0} for p, hard in prompts)

    with (
        instance.serving() as url,
        httpx.Client(base_url=url, timeout=30) as client,
    ):
        stream(client, rows, 60)
        deadline = time.monotonic() + 60
        while not (
            notes := instance.query("SELECT note FROM routing_learningturn")
        ) or (notes == [("",)]):
            assert time.monotonic() < deadline, instance.log[-2000:]
            time.sleep(0.2)

    [(note,)] = notes
    assert note.startswith("Router 1 of local was trained: draft. Only 60 held-out")
    [(scope, source)] = instance.query("SELECT scope, source FROM routing_routermodel")
    assert (scope, source) == ("local", "feedback")
