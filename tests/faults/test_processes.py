"""Whole processes: starting, draining, being killed, and the books afterwards."""

import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.faultllm import Attempt, read_journal
from tests.instance import PROVIDER_KEY, ROOT, Instance, kill_group

CHAT = "/v1/chat/completions"


@pytest.fixture
def oracle(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A fault upstream in a process of its own: its URL, and its journal."""
    journal = tmp_path / "oracle.jsonl"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faultllm", "--port", "0", "--journal", journal],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    port = process.stdout.readline().split()[1]
    yield f"http://127.0.0.1:{port}", journal
    process.terminate()
    process.wait(10)
    process.stdout.close()


def chat(text: str, **fields: object) -> dict:
    return {"messages": [{"role": "user", "content": text}], **fields}


def attempts_of(instance: Instance) -> dict[str, tuple]:
    rows = instance.query(
        "SELECT attempt_id, state, prompt_tokens, completion_tokens, cost_nano "
        "FROM gateway_attempt"
    )
    assert len({row[0] for row in rows}) == len(rows)
    return {row[0]: row[1:] for row in rows}


def finished(journal: Path) -> list[Attempt]:
    """What the upstream saw, once it has noticed how each of them ended."""
    for _ in range(200):
        attempts = read_journal(journal)
        if all(attempt.outcome for attempt in attempts):
            return attempts
        time.sleep(0.05)
    raise AssertionError("The upstream still answers somebody.")


def assert_books_agree(instance: Instance, seen: list[Attempt], in_flight: int) -> None:
    """DECISIONS: every attempt the provider saw has exactly one row; rows without an
    attempt are `unknown`, at most as many as were in flight at the kills."""
    rows = attempts_of(instance)
    for attempt in seen:
        state, prompt, completion, _ = rows.pop(attempt.attempt_id)
        if state == "billed":
            assert (prompt, completion) == (
                attempt.prompt_billed,
                attempt.completion_billed,
            )
    assert {row[0] for row in rows.values()} <= {"unknown"}
    assert len(rows) <= in_flight
    spent = instance.query("SELECT SUM(spent_nano) FROM gateway_usagetotal")[0][0]
    cost = instance.query("SELECT SUM(cost_nano) FROM gateway_attempt")[0][0]
    assert spent == cost
    ((check,),) = instance.query("PRAGMA integrity_check")
    assert check == "ok"


def test_the_quick_start_of_the_reference_works_as_written(oracle, tmp_path: Path):
    instance = Instance(tmp_path, oracle[0])
    with instance.serving() as url:
        answer = httpx.post(
            url + CHAT,
            headers={"Content-Type": "application/json"},
            content=json.dumps(chat("What is 2+2?")),
        )
        backends = httpx.get(f"{url}/v1/backends").json()
        health = httpx.get(f"{url}/health")
        request_id = answer.headers["x-request-id"]
        told = httpx.get(f"{url}/v1/requests/{request_id}").json()
        feedback = httpx.post(
            f"{url}/v1/feedback", json={"score": 0.2, "tier": 1, "quality": 0.9}
        )
        by_id = {"request_id": request_id, "quality": 1}
        votes = [httpx.post(f"{url}/v1/feedback", json=by_id) for _ in range(2)]
        time.sleep(1)
        stats = httpx.get(f"{url}/stats").json()
        metrics = httpx.get(f"{url}/metrics").text

    assert answer.status_code == 200
    assert answer.headers["x-llm-router-model"] == "small"
    assert [b["name"] for b in backends] == ["small", "medium", "large"]
    assert {"status", "in_flight", "latency_ms", "total_requests"} <= backends[0].keys()
    assert health.status_code == 200
    steps = [decision["step"] for decision in told["decisions"]]
    assert list(dict.fromkeys(steps)) == ["model", "cache", "score", "tier", "backend"]
    assert told["attempts"][0]["state"] == "billed"
    assert told["cost_nano_usd"] == told["attempts"][0]["cost_nano"] > 0
    assert feedback.status_code == 200
    assert [vote.status_code for vote in votes] == [200, 409]
    assert stats["total_requests"] == 1
    assert stats["total_spent_nano_usd"] == told["cost_nano_usd"]
    assert stats["by_model"] == {"small": 1}
    assert "llm_router_requests_total" in metrics


def test_the_first_link_opens_once_and_is_stored_nowhere_in_clear(
    oracle, tmp_path: Path
):
    instance = Instance(tmp_path, oracle[0])
    with instance.serving():
        link = next(word for word in instance.log.split() if "/admin/setup/" in word)
        with httpx.Client(follow_redirects=True) as browser:
            page = browser.get(link)
            form = {
                "username": "operator",
                "password1": "a long enough secret",
                "password2": "a long enough secret",
                "csrfmiddlewaretoken": browser.cookies["csrftoken"],
            }
            entered = browser.post(
                str(page.url), data=form, headers={"referer": str(page.url)}
            )
            again = httpx.get(link, follow_redirects=True)
    token = link.rstrip("/").rsplit("/", 1)[1]

    assert "/admin/" in str(entered.url)
    assert "operator" in entered.text
    assert again.status_code == 404
    stored = b"".join(
        p.read_bytes() for p in instance.data_dir.iterdir() if p.is_file()
    )
    assert token.encode() not in stored


def test_secrets_of_the_instance_are_its_owners_alone(oracle, tmp_path: Path):
    instance = Instance(tmp_path, oracle[0])
    with instance.serving():
        names = ["secret.key", "encryption.key", "db.sqlite3"]
        modes = [(instance.data_dir / name).stat().st_mode & 0o777 for name in names]
        journals = list((instance.data_dir / "journal").iterdir())
        others = {path.stat().st_mode & 0o077 for path in journals}

    assert modes == [0o600, 0o600, 0o600]
    assert others == {0}


def test_with_a_key_in_the_database_every_address_but_health_needs_it(
    oracle, tmp_path: Path
):
    instance = Instance(tmp_path, oracle[0])
    with instance.serving() as url:
        open_mode = httpx.post(url + CHAT, json=chat("Hi"))
        made = instance.manage("create_key", "first")
        key = made.stdout.strip().splitlines()[-1]
        wait_until(lambda: httpx.get(f"{url}/stats").status_code == 401)
        bearer = {"authorization": f"Bearer {key}"}
        statuses = {
            path: (
                httpx.get(url + path).status_code,
                httpx.get(url + path, headers=bearer).status_code,
            )
            for path in ("/stats", "/v1/models", "/v1/backends", "/metrics")
        }
        bare = httpx.post(url + CHAT, json=chat("Hi"))
        with_header = httpx.post(
            url + CHAT, json=chat("Hi"), headers={"x-api-key": key}
        )
        public = [httpx.get(url + path).status_code for path in ("/health", "/ready")]

    assert open_mode.status_code == 200
    assert set(statuses.values()) == {(401, 200)}
    assert bare.status_code == 401
    assert with_header.status_code == 200
    assert public == [200, 200]
    assert key.encode() not in (instance.data_dir / "db.sqlite3").read_bytes()


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "gateway.example"},
        {"x-forwarded-for": "10.0.0.1"},
        {"forwarded": "for=10.0.0.1"},
    ],
)
def test_open_mode_is_only_for_somebody_on_this_machine(
    oracle, tmp_path: Path, headers: dict[str, str]
):
    with Instance(tmp_path, oracle[0]).serving() as url:
        response = httpx.post(url + CHAT, json=chat("Hi"), headers=headers)

    assert response.status_code == 401


def test_open_mode_ends_where_the_address_is_not_loopback(oracle, tmp_path: Path):
    instance = Instance(tmp_path, oracle[0])
    process = instance.start("--addr", "0.0.0.0:0")
    url = instance.url.replace("0.0.0.0", "127.0.0.1")
    response = httpx.post(url + CHAT, json=chat("Hi"))
    process.terminate()
    process.wait(20)

    assert response.status_code == 401


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
        stop = threading.Event()
        load = [
            threading.Thread(target=send_until, args=(instance.url, stop, Counter()))
            for _ in range(clients)
        ]
        for thread in load:
            thread.start()
        time.sleep(dice.uniform(0.2, 1.2))
        kill_group(process)
        stop.set()
        for thread in load:
            thread.join()
    with instance.serving():
        pass  # starting brings in what the dead left; stopping stores the rest

    seen = finished(journal)
    assert len(seen) > 10 * kills
    assert_books_agree(instance, seen, in_flight=clients * kills)


def send_until(url: str, stop: threading.Event, statuses: Counter[int]) -> None:
    """Requests one after the other, whole and streamed, until told to stop."""
    name = threading.get_ident()
    number = 0
    with httpx.Client(timeout=20) as client:
        while not stop.is_set():
            number += 1
            body = chat(f"Question {number} of {name}", stream=number % 3 == 0)
            try:
                statuses[client.post(url + CHAT, json=body).status_code] += 1
            except httpx.TransportError:
                return


def status_of(url: str) -> int:
    return httpx.get(url).status_code


def contents(folder: Path) -> bytes:
    """Every byte that is stored there."""
    return b"".join(p.read_bytes() for p in folder.rglob("*") if p.is_file())


def wait_until(condition, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_providers_key_is_found_nowhere_but_in_its_requests(oracle, tmp_path: Path):
    instance = Instance(tmp_path, oracle[0])
    with instance.serving() as url:
        httpx.post(url + CHAT, json=chat("Hi"))
        pages = [httpx.get(url + path).text for path in ("/v1/backends", "/v1/models")]

    assert PROVIDER_KEY not in "".join(pages)
    assert PROVIDER_KEY.encode() not in contents(tmp_path)
