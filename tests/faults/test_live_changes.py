"""Keys that change and rows that are invalid act, or don't, in every worker
(R10, R13, R14).
"""

import time

from tests.faultllm import digest
from tests.faults.running import CHAT, EFFECT_SECONDS, Running, load, wait_for


def test_r13_a_missing_variable_disables_its_backend_and_nobody_else(running: Running):
    running.add_backend("keyless", api_key_env="NOWHERE_SET_IN_THESE_TESTS")
    shown = running.statuses()
    pinned = running.ask("Hi", model="keyless")
    ready = running.get("/ready")
    with load(running) as statuses:
        time.sleep(0.5)
    running.sql("DELETE FROM routing_backend WHERE name = 'keyless'")

    assert [each["keyless"] for each in shown] == ["misconfigured"] * 2
    assert "misconfigured" not in [each["small"] for each in shown]
    assert pinned.status_code == 503
    assert "NOWHERE_SET_IN_THESE_TESTS" not in pinned.text
    assert ready.status_code == 200
    assert set(statuses) == {200}


def test_r13_a_rotated_key_is_used_at_once_and_no_request_fails(running: Running):
    old, new = running.encrypt("sk-the-old-key"), running.encrypt("sk-the-new-key")
    running.add_backend("rotating", api_key_value=old)
    with load(running, model="rotating") as statuses:
        wait_for(lambda: statuses[200] > 10)
        running.sql(
            "UPDATE routing_backend SET api_key_value = ? WHERE name = 'rotating'", new
        )
        rotated_at = time.time()
        time.sleep(EFFECT_SECONDS + 0.5)
    running.sql("DELETE FROM routing_backend WHERE name = 'rotating'")

    assert set(statuses) == {200}
    used = [(a.received_at, a.key) for a in running.upstream.requests_for("rotating")]
    late = {key for at, key in used if at > rotated_at + EFFECT_SECONDS}
    assert used[0][1] == digest("sk-the-old-key")
    assert late == {digest("sk-the-new-key")}


ENDINGS = {
    "revoked": "UPDATE gateway_apikey SET revoked_at = datetime('now')",
    "expired": "UPDATE gateway_apikey SET expires_at = datetime('now')",
    "deleted": "DELETE FROM gateway_apikey",
    "replaced": "UPDATE gateway_apikey SET digest = 'another'",
}


def test_r14_a_key_that_ends_stops_in_every_worker(running: Running):
    for name in ENDINGS:
        running.add_key(name)
    for name, end in ENDINGS.items():
        running.sql(f"{end} WHERE name = ?", name)
    ended_at = time.monotonic()
    for name in ENDINGS:
        running.wait_for_status(401, "/v1/models", name)
    took = time.monotonic() - ended_at
    later = [running.everywhere("/v1/models", name) for name in ENDINGS]

    assert took < EFFECT_SECONDS
    assert {answer.status_code for each in later for answer in each} == {401}


def test_r14_a_lowered_ceiling_acts_in_every_worker(running: Running):
    key = running.add_key("lowered")
    before = running.ask("Hi", key, model="tier-3")
    running.sql("UPDATE gateway_apikey SET max_tier = 1 WHERE name = 'lowered'")
    lowered_at = time.monotonic()
    running.wait_for_status(403, CHAT, key, model="tier-3")
    took = time.monotonic() - lowered_at
    running.sql("DELETE FROM gateway_apikey WHERE name = 'lowered'")

    assert before.status_code == 200
    assert took < EFFECT_SECONDS


INVALID = [
    ("routing_tier", "max_score", "NULL", "rank = 1"),
    ("routing_backend", "base_url", "'ftp://x'", "name = 'small'"),
    ("routing_routingpolicy", "cache_ttl_seconds", "'soon'", "id = 1"),
]


def test_r10_an_invalid_row_is_refused_and_the_last_good_state_serves(
    running: Running,
):
    with load(running) as statuses:
        for table, column, value, where in INVALID:
            ((good,),) = running.sql(f"SELECT {column} FROM {table} WHERE {where}")
            running.sql(f"UPDATE {table} SET {column} = {value} WHERE {where}")
            wait_for(lambda: running.troubles() == [1, 1])
            assert running.get("/ready").status_code == 200
            running.sql(f"UPDATE {table} SET {column} = ? WHERE {where}", good)
            wait_for(lambda: running.troubles() == [0, 0])

    assert set(statuses) == {200}
    assert running.instance.log.count("configuration_refused") >= len(INVALID)
