"""Asked to stop, with everything under way that can be (R10)."""

import json
import os
import signal
import socket
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path

import httpx
import pytest

from tests.faults.oracle import assert_books_agree, finished
from tests.faults.processes import CHAT, chat, status_of, wait_until
from tests.instance import Instance, workers_of

SLOW = """
  - {{name: slow, provider: openai-compatible, model: fault/trickle-3s,
     base_url: "{url}", cost_per_1k_in: 0, cost_per_1k_out: 0, tier: 1}}
"""
GRACE = {"LLM_ROUTER_DRAIN_SECONDS": "2"}


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """Tests that run in the background, or under nohup, are told to ignore what these
    send, and so would be whom they start."""
    numbers = (signal.SIGINT, signal.SIGHUP)
    before = {
        number: signal.signal(number, signal.default_int_handler) for number in numbers
    }
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("workers", "number"), [(1, signal.SIGHUP), (2, signal.SIGTERM)]
)
def test_who_still_sends_or_waits_is_told_and_nobody_new_is_left_waiting(
    oracle, tmp_path: Path, workers: int, number: signal.Signals
):
    url, journal = oracle
    instance = Instance(tmp_path, url, SLOW.format(url=url))
    process = instance.start("--workers", str(workers), environ=GRACE)
    body = chat("Slowly", stream=True, model="slow")
    with (
        begin_to_send(instance.url) as unfinished,
        httpx.stream("POST", instance.url + CHAT, json=body, timeout=30) as stream,
    ):
        lines = stream.iter_lines()
        next(lines)
        process.send_signal(number)
        wait_until(lambda: refuses_connections(instance.url))
        still_serving = process.poll() is None
        streamed = "\n".join(lines)
        told = HTTPResponse(unfinished)
        told.begin()
        reason = json.loads(told.read())  # its head may come alone
    code = process.wait(30)

    assert still_serving
    assert '"code":"shutting_down"' in streamed
    assert (told.status, reason["error"]["code"]) == (503, "shutting_down")
    assert code == 0
    assert_books_agree(instance, finished(journal), in_flight=0)
    assert list((instance.data_dir / "journal").iterdir()) == []
    assert "Traceback" not in instance.log


def test_started_with_nohup_a_closed_terminal_stops_nothing(oracle, tmp_path: Path):
    instance = Instance(tmp_path, oracle[0])
    ignoring = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = instance.start("--workers", "2")
    finally:
        signal.signal(signal.SIGHUP, ignoring)
    process.send_signal(signal.SIGHUP)
    for pid in workers_of(instance.url):
        os.kill(pid, signal.SIGHUP)
    served = [status_of(f"{instance.url}/ready") for _ in range(8)]
    process.send_signal(signal.SIGTERM)

    assert process.wait(30) == 0
    assert served == [200] * 8
    assert "worker_replaced" not in instance.log


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_sigint_to_the_process_alone_ends_all_at_once(
    oracle, tmp_path: Path, workers: int
):
    url, _ = oracle
    instance = Instance(tmp_path, url, SLOW.format(url=url))
    patient = {"LLM_ROUTER_DRAIN_SECONDS": "120"}
    process = instance.start("--workers", str(workers), environ=patient)
    body = chat("Slowly", stream=True, model="slow")
    with httpx.stream("POST", instance.url + CHAT, json=body, timeout=90) as stream:
        lines = stream.iter_lines()
        next(lines)
        process.send_signal(signal.SIGINT)
        wait_until(lambda: refuses_connections(instance.url))
        still_serving = process.poll() is None
        process.send_signal(signal.SIGINT)
        with pytest.raises(httpx.RemoteProtocolError):  # cut, in the middle
            list(lines)
    code = process.wait(30)

    assert still_serving
    assert code == 0


def test_workers_whose_parent_was_killed_drain_and_make_room(oracle, tmp_path: Path):
    url, journal = oracle
    instance = Instance(tmp_path, url, SLOW.format(url=url))
    process = instance.start("--workers", "2", environ=GRACE)
    body = chat("Slowly", stream=True, model="slow")
    with httpx.stream("POST", instance.url + CHAT, json=body, timeout=30) as stream:
        lines = stream.iter_lines()
        next(lines)
        process.kill()
        streamed = "\n".join(lines)
    wait_until(lambda: instance.log.count('"event": "stopped"') == 2)
    wait_until(lambda: refuses_connections(instance.url))
    process.wait(10)

    assert '"code":"shutting_down"' in streamed
    assert_books_agree(instance, finished(journal), in_flight=0)


def test_each_line_of_the_log_is_json_also_of_whom_keeps_the_workers(
    oracle, tmp_path: Path
):
    instance = Instance(tmp_path, oracle[0])
    with instance.serving("--workers", "2") as url:
        victim = min(workers_of(url))
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: "worker_replaced" in instance.log)

    said = instance.log.split("Calibrate", 1)[1].splitlines()[1:]
    events = [json.loads(line) for line in said]
    (replaced,) = [event for event in events if event["event"] == "worker_replaced"]
    assert (replaced["pid"], replaced["exitcode"]) == (victim, -9)


def begin_to_send(url: str) -> socket.socket:
    """A request that announces a body and sends the half of it."""
    body = json.dumps(chat("Never complete")).encode()
    host, port = url.removeprefix("http://").split(":")
    client = socket.create_connection((host, int(port)), timeout=30)
    head = (
        f"POST {CHAT} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    client.sendall(head.encode() + body[:20])
    return client


def refuses_connections(url: str) -> bool:
    try:
        httpx.get(f"{url}/health", timeout=1)
    except httpx.ConnectError:
        return True
    except httpx.TransportError:  # accepted by nobody, or hung up on
        return False
    return False
