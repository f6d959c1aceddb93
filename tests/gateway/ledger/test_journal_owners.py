"""Whose a journal is, and who may replay it."""

import fcntl
import os
import subprocess
import sys

import pytest

from gateway.ledger.journal import (
    Journal,
    abandoned,
    decode,
    lock_owner,
    segment_path,
)
from tests.gateway.ledger.journals import INTENT, ROOM


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
