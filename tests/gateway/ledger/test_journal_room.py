"""A journal without room: intents are refused, settlements wait."""

import subprocess
import sys
import threading

import pytest

from gateway.errors import StorageFull
from gateway.ledger.journal import (
    Journal,
    encode,
)
from tests.gateway.ledger.disks import full_disk
from tests.gateway.ledger.journals import INTENT, ROOM, SETTLED, records, refused


def test_an_intent_beyond_the_bound_is_refused_and_a_settlement_is_not(tmp_path):
    journal = Journal(tmp_path, max_bytes=len(encode(INTENT)))
    journal.append(INTENT)
    error = refused(journal)
    assert (error.status, error.code) == (503, "storage_full")
    assert error.retry_after > 0
    journal.append(SETTLED, must_keep=True)
    journal.close()
    assert records(tmp_path) == [INTENT, SETTLED]


def test_on_a_full_disk_settlements_wait_and_intents_are_refused(tmp_path):
    journal = Journal(tmp_path, ROOM)
    journal.append(INTENT)
    with full_disk(tmp_path):
        journal.append(SETTLED, must_keep=True)
        refused(journal)
    assert journal.waiting == 1
    assert records(tmp_path) == [INTENT]
    journal.append(INTENT)
    journal.close()
    assert journal.waiting == 0
    assert records(tmp_path) == [INTENT, SETTLED, INTENT]


def test_what_waits_is_written_once_there_is_room_without_new_traffic(tmp_path):
    journal = Journal(tmp_path, ROOM)
    with full_disk(tmp_path):
        journal.append(SETTLED, must_keep=True)
        journal.retry_waiting()
    assert (journal.waiting, records(tmp_path)) == (1, [])
    journal.retry_waiting()
    journal.retry_waiting()
    journal.close()
    assert (journal.waiting, records(tmp_path)) == (0, [SETTLED])


def test_what_waits_is_written_once_although_two_threads_try(tmp_path):
    journal = Journal(tmp_path, ROOM)
    with full_disk(tmp_path):
        for number in range(1000):
            journal.append({"t": "attempt", "number": number}, must_keep=True)
    retrying = threading.Thread(target=journal.retry_waiting)
    retrying.start()
    journal.append({"t": "attempt", "number": 1000}, must_keep=True)
    retrying.join()
    journal.close()
    assert [record["number"] for record in records(tmp_path)] == [*range(1001)]


def test_what_waits_in_memory_is_bounded(tmp_path):
    journal = Journal(tmp_path, 1 << 30)
    megabytes = {"t": "attempt", "text": "x" * (8 << 20)}
    with full_disk(tmp_path), pytest.raises(StorageFull):
        for _ in range(9):
            journal.append(megabytes, must_keep=True)
    assert journal.waiting == 7
    journal.close()


FULL_DISK = """
import resource, sys
from pathlib import Path
from gateway.errors import StorageFull
from gateway.ledger.journal import Journal

folder, limit = Path(sys.argv[1]), int(sys.argv[2])
journal = Journal(folder, 1 << 20)
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
begun = refused = 0
for number in range(100):
    try:
        journal.append({"t": "intent", "number": number, "pad": "x" * 50})
    except StorageFull:
        refused += 1
        continue
    begun += 1
    journal.append({"t": "attempt", "number": number}, must_keep=True)
assert 0 < begun < 100 and refused == 100 - begun, (begun, refused)
print(journal.waiting, end=" ")
assert folder.joinpath(journal.path(0)).read_bytes().endswith(b"\\n")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
journal.retry_waiting()
assert journal.waiting == 0
journal.append({"t": "intent", "number": 100})
print(begun)
journal.close()
"""


INTENT_BYTES = len(encode({"t": "intent", "number": 0, "pad": "x" * 50}))
SETTLED_BYTES = len(encode({"t": "attempt", "number": 0}))


@pytest.mark.parametrize(
    ("room", "waiting"),
    [
        (INTENT_BYTES // 2, 0),
        (INTENT_BYTES, 1),
        (INTENT_BYTES + SETTLED_BYTES // 2, 1),
        (INTENT_BYTES + SETTLED_BYTES, 0),
    ],
)
def test_a_disk_that_fills_up_leaves_no_half_line_and_loses_no_settlement(
    tmp_path, room, waiting
):
    """After seven calls there is room for so many bytes."""
    limit = 7 * (INTENT_BYTES + SETTLED_BYTES) + room
    run = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path), str(limit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    waited, begun = map(int, run.stdout.split())
    assert waited == waiting
    kept = records(tmp_path)
    assert None not in kept
    intents = [record["number"] for record in kept if record["t"] == "intent"]
    attempts = [record["number"] for record in kept if record["t"] == "attempt"]
    assert intents == [*range(begun), 100]
    assert attempts == [*range(begun)]
