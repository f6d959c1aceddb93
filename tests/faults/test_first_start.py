"""A fresh instance: the quick start, the way in, and who needs a key."""

import json
import time
from pathlib import Path

import httpx
import pytest

from tests.faults.processes import (
    CHAT,
    chat,
    contents,
    wait_until,
)
from tests.instance import PROVIDER_KEY, Instance


def test_the_quick_start_of_the_reference_works_as_written(oracle, tmp_path: Path):
    instance = Instance(tmp_path, oracle[0], empty=True)
    with instance.serving() as url:
        answer = httpx.post(
            url + CHAT,
            headers={"Content-Type": "application/json"},
            content=json.dumps(chat("What is 2+2?")),
        )
        backends = httpx.get(f"{url}/v1/backends").json()
        health = httpx.get(f"{url}/health")
        request_id = answer.headers["x-request-id"]
        by_id = {"request_id": request_id, "quality": 1}  # at once: its row is to come
        votes = [httpx.post(f"{url}/v1/feedback", json=by_id) for _ in range(2)]
        told = httpx.get(f"{url}/v1/requests/{request_id}").json()
        feedback = httpx.post(
            f"{url}/v1/feedback", json={"score": 0.2, "tier": 1, "quality": 0.9}
        )
        nowhere = httpx.post(
            f"{url}/v1/feedback", json={"score": 0.2, "tier": 4, "quality": 0.9}
        )
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
    assert nowhere.status_code == 400
    assert nowhere.json()["error"]["param"] == "tier"
    assert "there is: 1, 2, 3" in nowhere.json()["error"]["message"]
    assert [vote.status_code for vote in votes] == [200, 409]
    assert stats["total_requests"] == 1
    assert stats["total_spent_nano_usd"] == told["cost_nano_usd"]
    assert stats["by_model"] == {"small": 1}
    assert "llm_router_requests_total" in metrics


def test_a_key_and_a_configuration_can_come_before_the_first_start(
    oracle, tmp_path: Path
):
    instance = Instance(tmp_path, oracle[0], empty=True)
    dumped = instance.manage("dump_config")
    key = instance.manage("create_key", "ci")
    loaded = instance.manage("load_config", str(instance.config))
    with instance.serving() as url:
        bearer = {"authorization": f"Bearer {key.stdout.strip()}"}
        without = httpx.post(url + CHAT, json=chat("Who are you?"))
        answer = httpx.post(url + CHAT, json=chat("Who are you?"), headers=bearer)

    for done in (dumped, key, loaded):
        assert done.returncode == 0, done.stderr
    assert "+ backend small" in loaded.stdout
    assert without.status_code == 401
    assert answer.status_code == 200


def test_the_first_link_opens_once_and_is_stored_nowhere_in_clear(
    oracle, tmp_path: Path
):
    instance = Instance(tmp_path, oracle[0], empty=True)
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
    instance = Instance(tmp_path, oracle[0], empty=True)
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
    instance = Instance(tmp_path, oracle[0], empty=True)
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
    with Instance(tmp_path, oracle[0], empty=True).serving() as url:
        response = httpx.post(url + CHAT, json=chat("Hi"), headers=headers)

    assert response.status_code == 401


def test_open_mode_ends_where_the_address_is_not_loopback(oracle, tmp_path: Path):
    instance = Instance(tmp_path, oracle[0], empty=True)
    process = instance.start("--addr", "0.0.0.0:0")
    url = instance.url.replace("0.0.0.0", "127.0.0.1")
    response = httpx.post(url + CHAT, json=chat("Hi"))
    process.terminate()
    process.wait(20)

    assert response.status_code == 401


def test_the_providers_key_is_found_nowhere_but_in_its_requests(oracle, tmp_path: Path):
    instance = Instance(tmp_path, oracle[0], empty=True)
    with instance.serving() as url:
        httpx.post(url + CHAT, json=chat("Hi"))
        pages = [httpx.get(url + path).text for path in ("/v1/backends", "/v1/models")]

    assert PROVIDER_KEY not in "".join(pages)
    assert PROVIDER_KEY.encode() not in contents(tmp_path)
