"""Nothing stops the event loop (R19)."""

import sqlite3
import time
from collections.abc import Iterator

import pytest

from gateway.key_rows import digest_of
from tests.faultllm import ThreadedFaultLLM
from tests.faults.running import Running, load, wait_for
from tests.faults.watched import long_steps, serve_watched
from tests.instance import Instance, is_ready

KEYS = 10_000


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with ThreadedFaultLLM() as upstream:
        instance = Instance(tmp_path_factory.mktemp("watched"), upstream.url)
        instance.manage("load_config", str(instance.config))
        # However long a prompt is here, it goes to the provider.
        instance.query("UPDATE routing_backend SET context_window = NULL")
        key = instance.manage("create_key", "first").stdout.strip()
        process = serve_watched(instance)
        url = f"http://127.0.0.1:{process.stdout.readline().strip()}"
        wait_for(lambda: is_ready(url))
        (instance.folder / "log").write_text("")  # starting may take its time
        yield Running(instance, upstream, url, key)
        process.terminate()
        process.wait(30)
        process.stdout.close()


def test_r19_ten_thousand_keys_are_read_beside_the_requests(watched: Running):
    database = sqlite3.connect(watched.instance.data_dir / "db.sqlite3", timeout=20)
    table = database.execute("PRAGMA table_info(gateway_apikey)")
    columns = [name for _, name, *_ in table if name != "id"]
    own = {"name": "?", "digest": "?"}
    with database:
        database.executemany(
            f"INSERT INTO gateway_apikey ({', '.join(columns)}) "
            f"SELECT {', '.join(own.get(name, name) for name in columns)} "
            "FROM gateway_apikey WHERE name = 'first'",
            [
                [
                    {"name": f"many-{n}", "digest": digest_of(f"many-{n}")}[c]
                    for c in columns
                    if c in own
                ]
                for n in range(KEYS)
            ],
        )
    database.close()
    with load(watched) as statuses:
        wait_for(lambda: watched.get("/stats", f"many-{KEYS - 1}").status_code == 200)
        watched.sql("DELETE FROM gateway_apikey WHERE name LIKE 'many-%'")
        wait_for(lambda: watched.get("/stats", "many-1").status_code == 401)

    assert set(statuses) == {200}
    assert long_steps(watched.instance) == []


def test_r19_looking_up_and_voting_do_not_hold_up_others(watched: Running):
    with load(watched) as statuses:
        for number in range(5):
            answer = watched.ask(f"Explain {number}")
            request_id = answer.headers["x-request-id"]
            assert watched.get(f"/v1/requests/{request_id}").status_code == 200
            vote = watched.send(
                "POST", "/v1/feedback", body={"request_id": request_id, "quality": 1}
            )
            assert vote.status_code == 200

    assert set(statuses) == {200}
    assert long_steps(watched.instance) == []


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param([("user", "step: words " * 2_000_000)], id="one text of 24 MB"),
        pytest.param([("user", "a: b")] * 2000, id="many short ones"),
    ],
)
def test_r19_a_big_body_does_not_hold_up_others(watched: Running, messages: list):
    sent = [{"role": role, "content": text} for role, text in messages]
    for number in range(2):
        answer = watched.ask("", messages=sent, user=f"{number} {time.monotonic()}")
        assert answer.status_code == 200

    assert long_steps(watched.instance) == []
