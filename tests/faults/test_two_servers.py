"""A second server on one data folder, and the next one after an end (R5)."""

import signal
from pathlib import Path

import httpx
import pytest

from tests.faultllm import ThreadedFaultLLM
from tests.faults.processes import CHAT, chat, wait_until
from tests.instance import Instance, kill_group

WORKERS = ["1", pytest.param("2", marks=pytest.mark.slow)]
HELD = """
  - {{name: held, provider: openai-compatible, model: fault/hold-after-1,
     base_url: "{url}", cost_per_1k_in: 0, cost_per_1k_out: 0, tier: 1}}
"""


@pytest.mark.parametrize("workers", WORKERS)
def test_r5_a_second_server_is_refused_and_the_first_serves_on(
    oracle, tmp_path: Path, workers: str
):
    instance = Instance(tmp_path, oracle[0])
    process = instance.start("--workers", workers)
    try:
        same = instance.url.removeprefix("http://")
        refused = [
            instance.manage("serve", "--config", str(instance.config), "--addr", addr)
            for addr in ("127.0.0.1:0", same)
        ]
        answer = httpx.post(instance.url + CHAT, json=chat("Still there?"))
        commands = [instance.manage("dump_config"), instance.manage("create_key", "ci")]
    finally:
        process.send_signal(signal.SIGTERM)

    assert process.wait(30) == 0
    for done in refused:
        assert done.returncode == 1
        assert done.stdout == ""
        assert done.stderr == (
            f"CommandError: Another llm-router (process {process.pid}) serves from "
            f"{instance.data_dir}. Stop it, or give this one a folder of its own in "
            "LLM_ROUTER_DATA_DIR; --workers serves on more cores.\n"
        )
    assert answer.status_code == 200
    assert [done.returncode for done in commands] == [0, 0]


@pytest.mark.parametrize("workers", WORKERS)
def test_r5_after_kill_9_nothing_is_left_that_hinders_the_next_start(
    oracle, tmp_path: Path, workers: str
):
    instance = Instance(tmp_path, oracle[0])
    kill_group(instance.start("--workers", workers))
    with instance.serving("--workers", workers) as url:
        answer = httpx.post(url + CHAT, json=chat("Here again"))

    assert answer.status_code == 200


@pytest.mark.parametrize("workers", WORKERS)
def test_r5_the_next_one_starts_while_the_last_one_ends_its_streams(
    threaded_upstream: ThreadedFaultLLM, tmp_path: Path, workers: str
):
    url = threaded_upstream.url
    instance = Instance(tmp_path, url, HELD.format(url=url))
    patient = {"LLM_ROUTER_DRAIN_SECONDS": "600"}
    last = instance.start("--workers", workers, environ=patient)
    body = chat("Slowly", stream=True, model="held")
    with httpx.stream("POST", instance.url + CHAT, json=body, timeout=60) as stream:
        lines = stream.iter_lines()
        next(lines)
        last.send_signal(signal.SIGTERM)
        following = instance.start("--workers", workers)
        try:
            last_was_still_there = last.poll() is None
            body = chat("From the next one", model="small")
            answer = httpx.post(instance.url + CHAT, json=body)
            threaded_upstream.release()
            text = "\n".join(lines)
            wait_until(lambda: last.poll() is not None, seconds=60)
        finally:
            following.send_signal(signal.SIGTERM)

    assert following.wait(30) == 0
    assert last.returncode == 0
    assert last_was_still_there
    assert answer.status_code == 200
    assert text.rstrip().endswith("data: [DONE]")
