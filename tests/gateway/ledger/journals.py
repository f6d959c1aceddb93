"""A journal's records, and what it refuses."""

import pytest

from gateway.errors import StorageFull
from gateway.ledger.journal import decode

INTENT = {"t": "intent", "attempt_id": "r-1", "text": "x" * 60}
SETTLED = {"t": "attempt", "attempt_id": "r-1", "text": "y" * 60}
ROOM = 1 << 20
FOR_EVER = 100_000  # days


def records(folder):
    lines = []
    for path in sorted(folder.glob("*.journal")):
        lines += path.read_bytes().splitlines()
    return [decode(line) for line in lines]


def refused(journal):
    with pytest.raises(StorageFull) as error:
        journal.append(INTENT)
    return error.value


def append(journal, *records):
    for record in records:
        journal.append(record)


def segments(journal):
    return sorted(
        int(path.suffixes[0][1:]) for path in journal.folder.glob("*.*.journal")
    )
