"""Lines and segments of a journal: nothing half, nothing twice, nothing lost."""

import threading

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ledger.journal import (
    Journal,
    decode,
    encode,
)
from tests.gateway.ledger.journals import INTENT, ROOM, records, refused


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
