"""Told to stop while starting; a worker that can't start (R5, R7, R10)."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.faultllm import ThreadedFaultLLM
from tests.faults.running import Running, locked, wait_for
from tests.faults.watched import serve_watched
from tests.instance import Instance


def test_r7_who_is_stopped_while_starting_stops(tmp_path: Path):
    """It has a dead process's journal to bring in, and the database is locked."""
    instance = Instance(tmp_path, "http://127.0.0.1:1")
    journal = instance.data_dir / "journal"
    journal.mkdir()
    (journal / "1-dead.000000.journal").write_text("of no use\n")
    with locked(instance):
        process = serve_watched(instance)
        wait_for(lambda: "Waiting for application startup" in instance.log)
        process.terminate()
        time.sleep(0.2)
    try:
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.stdout.close()


@pytest.mark.slow
def test_r10_a_worker_that_cannot_start_does_not_take_the_others_with_it(
    tmp_path: Path,
):
    with ThreadedFaultLLM() as upstream:
        instance = Instance(tmp_path, upstream.url)
        key = instance.manage("create_key", "first").stdout.strip()
        with instance.serving("--workers", "2") as url:
            running = Running(instance, upstream, url, key, workers=2)
            running.everywhere("/ready")
            first, second = running.kept
            running.sql("UPDATE routing_tier SET max_score = NULL WHERE rank = 1")
            wait_for(lambda: running.troubles() == [1, 1])
            os.kill(int(first), signal.SIGKILL)
            wait_for(lambda: instance.log.count("start_failed") >= 2)
            statuses = {running.kept[second].get("/health").status_code}
            statuses |= {running.ask(f"Still? {n}").status_code for n in range(20)}
            running.sql("UPDATE routing_tier SET max_score = 30 WHERE rank = 1")
            running.kept.pop(first).close()
            wait_for(lambda: running.troubles() == [0, 0])
            for client in running.kept.values():
                client.close()

    assert statuses == {200}
    assert len(running.kept) == 2
