"""Live changes, draining, and being killed, and the books afterwards
(R5, R7, R10; I1).
"""

import random
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.faults.oracle import assert_books_agree, attempts_of, finished
from tests.faults.processes import CHAT, chat, send_until, status_of, wait_until
from tests.instance import Instance, kill_group


def test_a_change_by_raw_sql_is_live_within_a_second_and_drops_nothing(
    oracle, tmp_path: Path
):
    instance = Instance(tmp_path, oracle[0])
    with instance.serving("--workers", "2") as url:
        stop = threading.Event()
        statuses: Counter[int] = Counter()
        load = threading.Thread(target=send_until, args=(url, stop, statuses))
        load.start()
        instance.query("UPDATE routing_backend SET state='disabled' WHERE name='small'")
        time.sleep(1)
        served = {
            httpx.post(url + CHAT, json=chat(f"After {n}")).headers[
                "x-llm-router-model"
            ]
            for n in range(12)
        }
        instance.query("UPDATE routing_tier SET max_score=0 WHERE rank=2")
        time.sleep(1)
        refused = httpx.get(f"{url}/ready").json()
        still = httpx.post(url + CHAT, json=chat("Still?"))
        stop.set()
        load.join()

    assert served == {"medium"}
    assert refused == {"status": "ready", "trouble": 1}
    assert "is not above the tier below it" in instance.log
    assert still.headers["x-llm-router-model"] == "medium"
    assert set(statuses) == {200}


def test_sigterm_lets_streams_finish_and_ends_with_code_0(oracle, tmp_path: Path):
    url, journal = oracle
    extra = "  - {name: slow, provider: openai-compatible, model: fault/trickle-100ms,"
    extra += f' base_url: "{url}", cost_per_1k_in: 0, cost_per_1k_out: 0, tier: 1}}\n'
    instance = Instance(tmp_path, url, extra)
    process = instance.start()
    body = chat("Slowly", stream=True, model="slow")
    with httpx.stream("POST", instance.url + CHAT, json=body, timeout=30) as stream:
        lines = stream.iter_lines()
        next(lines)
        process.send_signal(signal.SIGTERM)
        ready = [status_of(f"{instance.url}/ready")]
        text = "\n".join(lines)
    code = process.wait(30)

    assert 503 in ready
    assert text.rstrip().endswith("data: [DONE]")
    assert code == 0
    assert [a.outcome for a in finished(journal)] == ["completed"]
    assert [row[0] for row in attempts_of(instance).values()] == ["billed"]
    assert list((instance.data_dir / "journal").iterdir()) == []


def test_streams_past_the_grace_get_an_error_and_their_row(oracle, tmp_path: Path):
    url, _ = oracle
    extra = "  - {name: slow, provider: openai-compatible, model: fault/trickle-3s,"
    extra += f' base_url: "{url}", cost_per_1k_in: 0, cost_per_1k_out: 0, tier: 1}}\n'
    instance = Instance(tmp_path, url, extra)
    process = instance.start(environ={"LLM_ROUTER_DRAIN_SECONDS": "1"})
    body = chat("Slowly", stream=True, model="slow")
    with httpx.stream("POST", instance.url + CHAT, json=body, timeout=30) as stream:
        lines = stream.iter_lines()
        next(lines)
        process.send_signal(signal.SIGTERM)
        text = "\n".join(lines)
    code = process.wait(30)

    assert "[DONE]" not in text
    assert '"code":"shutting_down"' in text
    assert code == 0
    assert len(attempts_of(instance)) == 1


def test_killed_in_the_middle_the_books_still_agree_with_the_bill(
    oracle, tmp_path: Path
):
    kill_and_compare(oracle, tmp_path, kills=3, workers=1)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_killed_again_and_again_the_books_still_agree_with_the_bill(
    oracle, tmp_path: Path, workers: int
):
    kill_and_compare(oracle, tmp_path, kills=25, workers=workers)


def kill_and_compare(
    oracle: tuple[str, Path], tmp_path: Path, kills: int, workers: int
) -> None:
    url, journal = oracle
    instance = Instance(tmp_path, url)
    dice = random.Random(kills)
    clients = 8
    for _ in range(kills):
        process = instance.start("--workers", str(workers))
        stop, statuses = threading.Event(), Counter[int]()
        load = [
            threading.Thread(target=send_until, args=(instance.url, stop, statuses))
            for _ in range(clients)
        ]
        for thread in load:
            thread.start()
        wait_until(lambda s=statuses: s[200] >= 10, seconds=30)
        time.sleep(dice.uniform(0, 1))
        kill_group(process)
        stop.set()
        for thread in load:
            thread.join()
    with instance.serving():
        pass  # starting brings in what the dead left; stopping stores the rest

    seen = finished(journal)
    assert len(seen) >= 10 * kills
    assert_books_agree(instance, seen, in_flight=clients * kills)
