"""The journal file itself: lines, segments, locks and full disks."""

import fcntl
import os
import subprocess
import sys
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import StorageFull
from gateway.ledger.journal import (
    Journal,
    abandoned,
    decode,
    encode,
    lock_owner,
    segment_path,
)
from tests.gateway.ledger.disks import full_disk

INTENT = {"t": "intent", "attempt_id": "r-1", "text": "x" * 60}
SETTLED = {"t": "attempt", "attempt_id": "r-1", "text": "y" * 60}
ROOM = 1 << 20


def records(folder):
    lines = []
    for path in sorted(folder.glob("*.journal")):
        lines += path.read_bytes().splitlines()
    return [decode(line) for line in lines]


def refused(journal):
    with pytest.raises(StorageFull) as error:
        journal.append(INTENT)
    return error.value


# --- lines ----------------------------------------------------------------------------


def test_a_record_is_one_line_with_its_checksum(tmp_path):
    journal = Journal(tmp_path, ROOM)
    journal.append({"t": "intent", "text": "two\nlines\x00\u2028"})
    journal.close()
    [path] = tmp_path.glob("*.journal")
    assert path.read_bytes().count(b"\n") == 1
    assert records(tmp_path) == [{"t": "intent", "text": "two\nlines\x00\u2028"}]


def test_only_the_owner_may_read_a_journal(tmp_path):
    journal = Journal(tmp_path / "journal", ROOM)
    journal.close()
    assert (tmp_path / "journal").stat().st_mode & 0o777 == 0o700
    [path] = (tmp_path / "journal").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600


def test_any_flipped_bit_is_noticed():
    line = encode({"t": "request", "cost_nano": 125, "model": "é"}).rstrip(b"\n")
    for position in range(len(line)):
        if position == 8:  # the blank between checksum and record
            continue
        for bit in range(8):
            damaged = bytearray(line)
            damaged[position] ^= 1 << bit
            # A checksum's letters may change their case and mean the same.
            assert decode(bytes(damaged)) in (None, decode(line)), (position, bit)
            if position > 8:
                assert decode(bytes(damaged)) is None


@given(st.binary(max_size=80))
@settings(max_examples=100)
def test_noise_is_never_taken_for_a_record(noise):
    assert decode(noise) is None


@given(
    st.dictionaries(
        st.text(),
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**63 - 1)
        | st.text(st.characters(exclude_categories=["Cs"])),
    )
)
@settings(max_examples=100)
def test_every_record_comes_back_as_it_was(record):
    line = encode(record)
    assert line.count(b"\n") == 1
    assert decode(line[:-1]) == record


# --- segments -------------------------------------------------------------------------


def test_rotation_keeps_every_record_in_order(tmp_path):
    journal = Journal(tmp_path, ROOM, segment_bytes=300)
    for number in range(100):
        journal.append({"t": "intent", "number": number, "pad": "x" * (number % 50)})
    journal.close()
    assert journal.segment > 10
    assert [record["number"] for record in records(tmp_path)] == list(range(100))
    sizes = [path.stat().st_size for path in tmp_path.glob("*.journal")]
    assert max(sizes) <= 300


def test_a_record_larger_than_a_segment_gets_one_of_its_own(tmp_path):
    journal = Journal(tmp_path, ROOM, segment_bytes=300)
    for text in ("small", "x" * 1000, "small"):
        journal.append({"t": "intent", "text": text})
    journal.close()
    assert [len(record["text"]) for record in records(tmp_path)] == [5, 1000, 5]
    assert journal.segment == 2


def test_a_segment_that_cannot_be_made_is_done_without(tmp_path):
    journal = Journal(tmp_path, ROOM, segment_bytes=300)
    obstacle = journal.path(1)
    obstacle.mkdir()
    for number in range(20):
        journal.append({"t": "intent", "number": number, "pad": "x" * 50})
    assert journal.segment == 0
    obstacle.rmdir()
    journal.append({"t": "intent", "number": 20})
    journal.close()
    assert journal.segment == 1
    assert [record["number"] for record in records(tmp_path)] == list(range(21))


def test_deleting_a_segment_gives_its_room_back(tmp_path):
    journal = Journal(tmp_path, max_bytes=700, segment_bytes=300)
    while journal.kept_bytes < 600:
        journal.append(INTENT)
    refused(journal)
    journal.delete(0)
    journal.append(INTENT)
    assert journal.kept_bytes == sum(
        path.stat().st_size for path in tmp_path.glob("*.journal")
    )
    journal.close()


def test_syncing_while_segments_rotate_and_go_meets_no_closed_file(tmp_path):
    journal = Journal(tmp_path, ROOM, segment_bytes=200)
    done = threading.Event()
    failures = []

    def follow():
        oldest = 0
        while not done.is_set():
            try:
                journal.sync()
                while oldest < journal.segment:
                    journal.delete(oldest)
                    oldest += 1
            except OSError as error:
                failures.append(error)

    thread = threading.Thread(target=follow)
    thread.start()
    for number in range(2000):
        journal.append({"t": "intent", "number": number, "pad": "x" * 100})
    done.set()
    thread.join()
    journal.sync()
    journal.close()
    assert failures == []


# --- room -----------------------------------------------------------------------------


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
assert journal.waiting <= 1, journal.waiting
print(folder.joinpath(journal.path(0)).read_bytes().count(b"\\n"), end=" ")
assert folder.joinpath(journal.path(0)).read_bytes().endswith(b"\\n")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
journal.retry_waiting()
assert journal.waiting == 0
journal.append({"t": "intent", "number": 100})
print(begun)
journal.close()
"""


@pytest.mark.parametrize("limit", [1000, 1040, 1080, 1111])
def test_a_disk_that_fills_up_leaves_no_half_line_and_loses_no_settlement(
    tmp_path, limit
):
    run = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path), str(limit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    begun = int(run.stdout.split()[1])
    kept = records(tmp_path)
    assert None not in kept
    intents = [record["number"] for record in kept if record["t"] == "intent"]
    attempts = [record["number"] for record in kept if record["t"] == "attempt"]
    assert intents == [*range(begun), 100]
    assert attempts == [*range(begun)]


# --- owners ---------------------------------------------------------------------------


def test_two_journals_never_share_a_file(tmp_path):
    journals = [Journal(tmp_path, ROOM) for _ in range(20)]
    for journal in journals:
        journal.append({"t": "intent", "name": journal.name})
    for journal in journals:
        journal.close()
        path = segment_path(tmp_path, journal.name, 0)
        [line] = path.read_bytes().splitlines()
        assert decode(line)["name"] == journal.name


def test_the_journal_of_a_living_process_is_not_abandoned(tmp_path):
    journal = Journal(tmp_path, ROOM)
    journal.append(INTENT)
    assert list(abandoned(tmp_path)) == []
    with pytest.raises(BlockingIOError):
        lock_owner(tmp_path / f"{journal.name}.lock")
    journal.close()
    assert list(abandoned(tmp_path)) == [[segment_path(tmp_path, journal.name, 0)]]


def test_looking_at_living_journals_leaves_no_file_open(tmp_path):
    journal = Journal(tmp_path, ROOM)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        list(abandoned(tmp_path))
    assert len(os.listdir("/proc/self/fd")) == before
    journal.close()


KILLED = """
import os, signal, sys
from pathlib import Path
from gateway.ledger.journal import Journal

journal = Journal(Path(sys.argv[1]), 1 << 20, segment_bytes=100)
for number in range(12):
    journal.append({"t": "intent", "number": number, "pad": "x" * 40})
print("ready", flush=True)
sys.stdin.readline()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_journal_of_a_killed_process_can_be_taken_in_order(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout.readline() == b"ready\n"
        assert list(abandoned(tmp_path)) == []
        process.communicate(b"die\n")
    [segments] = abandoned(tmp_path)
    numbers = [
        decode(line)["number"]
        for path in segments
        for line in path.read_bytes().splitlines()
    ]
    assert numbers == list(range(12))


def test_a_journal_being_replayed_is_not_given_to_a_second_process(tmp_path):
    journal = Journal(tmp_path, ROOM)
    journal.append(INTENT)
    journal.close()
    replaying = abandoned(tmp_path)
    assert len(next(replaying)) == 1
    with pytest.raises(BlockingIOError):
        lock_owner(tmp_path / f"{journal.name}.lock")
    assert list(abandoned(tmp_path)) == []
    replaying.close()
    assert len(list(abandoned(tmp_path))) == 1


def test_a_replay_that_failed_gives_its_journal_back(tmp_path):
    journal = Journal(tmp_path, ROOM)
    journal.append(INTENT)
    journal.close()
    replaying = abandoned(tmp_path)
    next(replaying)
    with pytest.raises(OSError, match="database"):
        replaying.throw(OSError("no database"))
    descriptor = lock_owner(tmp_path / f"{journal.name}.lock")
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)
