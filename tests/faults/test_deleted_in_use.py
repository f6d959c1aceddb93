"""What is in use is deleted: backends, tiers, keys (R12)."""

import sqlite3
import threading

import httpx

from tests.faults.running import CHAT, Running, load, wait_for


def pinned_and_held(running: Running, name: str, key: str = "") -> threading.Thread:
    """A stream from this backend that has begun and waits in its middle."""
    answers: list[httpx.Response] = []

    def send() -> None:
        running.upstream.script = ["words-10+hold-after-3"]
        answers.append(running.ask(f"To {name}", key, model=name, stream=True))

    thread = threading.Thread(target=send)
    thread.answers = answers
    thread.start()
    running.upstream.wait_until(lambda: running.upstream.holding == 1)
    return thread


def finished(running: Running, thread: threading.Thread) -> httpx.Response:
    running.upstream.release()
    thread.join()
    return thread.answers[0]


def test_r12_a_backend_deleted_in_use_finishes_and_keeps_its_history(running: Running):
    running.add_backend("doomed")
    held = pinned_and_held(running, "doomed")
    with load(running) as statuses:
        running.sql("DELETE FROM routing_backend WHERE name = 'doomed'")
        running.wait_for_status(404, CHAT, model="doomed")
        answer = finished(running, held)
    request_id = answer.headers["x-request-id"]
    told = running.get(f"/v1/requests/{request_id}").json()

    assert answer.text.endswith("data: [DONE]\n\n")
    assert set(statuses) == {200}
    assert (told["backend"], told["status"]) == ("doomed", 200)
    assert [attempt["backend"] for attempt in told["attempts"]] == ["doomed"]
    assert told["attempts"][0]["state"] == "billed"


def test_r12_a_tier_deleted_in_use_leaves_its_requests_to_the_next(running: Running):
    """The lowest of four; what it answered goes up from then on."""
    running.add_backend("small-2", model="small-2")
    running.sql(
        "INSERT INTO routing_tier (rank, name, max_score) VALUES (9, 'ninth', NULL)"
    )
    running.sql(
        "UPDATE routing_tier SET max_score = 90 WHERE rank = "
        "(SELECT max(rank) FROM routing_tier WHERE rank < 9)"
    )
    ninth = "(SELECT id FROM routing_tier WHERE rank = 9)"
    running.sql(f"UPDATE routing_backend SET tier_id = {ninth} WHERE name = 'small-2'")
    running.wait_for_status(200, CHAT, model="tier-9")
    held = pinned_and_held(running, "small-2")
    with load(running) as statuses:
        database = sqlite3.connect(running.instance.data_dir / "db.sqlite3", timeout=20)
        with database:  # as the admin does it: all or nothing
            database.execute(f"DELETE FROM routing_backend WHERE tier_id = {ninth}")
            database.execute("DELETE FROM routing_tier WHERE rank = 9")
            database.execute(
                "UPDATE routing_tier SET max_score = NULL WHERE rank = "
                "(SELECT max(rank) FROM routing_tier)"
            )
        database.close()
        running.wait_for_status(404, CHAT, model="tier-9")
        answer = finished(running, held)

    assert answer.text.endswith("data: [DONE]\n\n")
    assert set(statuses) == {200}
    request_id = answer.headers["x-request-id"]
    assert running.get(f"/v1/requests/{request_id}").json()["tier"] == 9


def test_r12_a_key_deleted_in_use_finishes_its_request_and_keeps_its_name(
    running: Running,
):
    key = running.add_key("leaver")
    held = pinned_and_held(running, "small", key)
    running.sql("DELETE FROM gateway_apikey WHERE name = 'leaver'")
    running.wait_for_status(401, "/v1/models", key)
    answer = finished(running, held)
    request_id = answer.headers["x-request-id"]

    assert answer.text.endswith("data: [DONE]\n\n")
    query = "SELECT key_name, status FROM gateway_requestlog WHERE request_id = ?"
    wait_for(lambda: running.sql(query, request_id))
    assert running.sql(query, request_id) == [("leaver", 200)]
