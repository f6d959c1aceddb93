"""A database that the next version has migrated, and a server that is older (R23)."""

import threading
from collections import Counter
from pathlib import Path

import httpx

from tests.faults.oracle import assert_books_agree, finished
from tests.faults.processes import CHAT, chat, send_until, wait_until
from tests.instance import Instance, kill_group

OWN_TABLES = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND "
    "(name LIKE 'gateway!_%' ESCAPE '!' OR name LIKE 'routing!_%' ESCAPE '!' "
    "OR name LIKE 'workflows!_app!_%' ESCAPE '!')"
)
CLIENTS = 4


def migrate_to_the_next_version(instance: Instance) -> int:
    """More in every table, as `tests/rolling.py` allows; how many there are."""
    tables = instance.query(OWN_TABLES)
    for (table,) in tables:
        instance.query(
            f"ALTER TABLE {table} ADD COLUMN of_tomorrow INTEGER NOT NULL DEFAULT 7"
        )
    for app in ("gateway", "routing", "workflows_app"):
        instance.query(
            "INSERT INTO django_migrations (app, name, applied) "
            "VALUES (?, '0999_of_tomorrow', '2026-01-01')",
            (app,),
        )
    return len(tables)


def test_r23_a_server_serves_and_writes_on_when_the_next_version_has_migrated(
    oracle, tmp_path: Path
):
    url, journal = oracle
    instance = Instance(tmp_path, url)
    process = instance.start()
    stop, statuses = threading.Event(), Counter[int]()
    load = [
        threading.Thread(target=send_until, args=(instance.url, stop, statuses))
        for _ in range(CLIENTS)
    ]
    for thread in load:
        thread.start()
    try:
        wait_until(lambda: statuses[200] >= 20, seconds=60)
        tables = migrate_to_the_next_version(instance)
        instance.wait_for_requests(statuses[200] + 50)
    finally:
        kill_group(process)
        stop.set()
        for thread in load:
            thread.join()

    # As after a roll-back: an older server starts on what the next one migrated.
    with instance.serving() as rolled_back:
        instance.query("UPDATE routing_backend SET state='disabled' WHERE name='small'")
        wait_until(lambda: '"event": "configuration_live"' in instance.log)
        answer = httpx.post(rolled_back + CHAT, json=chat("After the roll-back"))
        key = instance.manage("create_key", "ci")

    assert tables > 30
    assert set(statuses) == {200}
    assert (answer.status_code, key.returncode) == (200, 0)
    assert answer.headers["x-llm-router-model"] == "medium"
    assert_books_agree(instance, finished(journal), CLIENTS)
    assert not (instance.data_dir / "journal" / "rejected.jsonl").exists()
