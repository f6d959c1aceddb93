"""While requests are under way the database takes nothing (R1, R8)."""

import time
from pathlib import Path

import pytest

from tests.faults.running import Running, load, locked, wait_for


def resident_bytes(pids: set[str]) -> int:
    pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids]
    return sum(pages) * 4096


def rows(running: Running) -> int:
    return running.sql("SELECT count(*) FROM gateway_requestlog")[0][0]


def outlast_a_lock(running: Running, seconds: float) -> None:
    running.everywhere("/ready")
    workers = set(running.kept)
    running.ask("The last one before")
    time.sleep(0.5)
    before = rows(running)
    with load(running) as statuses:
        time.sleep(seconds / 3)  # caches and what is known of conversations fill
        memory = resident_bytes(workers)
        with locked(running.instance):
            stored = rows(running)
            before_lock = statuses[200]
            time.sleep(seconds)
            while_locked = rows(running)
            grown = resident_bytes(workers) - memory
        served = statuses.copy()
    total = sum(statuses.values())
    wait_for(lambda: rows(running) >= before + total)

    assert set(statuses) == {200}
    assert served[200] > before_lock + 10
    assert while_locked <= stored + 1  # one that was being written
    assert rows(running) == before + total
    assert grown < 40 << 20
    assert not (running.instance.data_dir / "journal" / "rejected.jsonl").exists()


def test_r8_while_the_database_is_locked_the_journal_holds_everything(
    running: Running,
):
    outlast_a_lock(running, seconds=2)


@pytest.mark.slow
def test_r8_a_minute_without_the_database_costs_neither_rows_nor_memory(
    running: Running,
):
    """Longer than SQLite's own patience: the writer fails, and tries again."""
    outlast_a_lock(running, seconds=60)
