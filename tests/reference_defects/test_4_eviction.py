"""Defect 4 of the reference: an LRU that was a FIFO and never forgot."""

from random import Random

from gateway.cache.store import AnswerStore, Entry
from routing.chat import Usage


def entry(text: str) -> Entry:
    return Entry(text.encode(), Usage(), "b", "m", 1, 5, 0, text)


def store_of(max_entries: int) -> AnswerStore:
    return AnswerStore(max_entries, 1 << 20, 100.0, Random(1), lambda _: None)


def kept(store: AnswerStore, keys: str, now: float = 0.0) -> str:
    """Those of the keys that are stored, found without being used."""
    return "".join(key for key in keys if key.encode() in store._by_key)


def test_4_what_was_read_last_stays_longest():
    store = store_of(3)
    for key in "abc":
        store.put((key.encode(),), "s", entry(key), 0.0)
    store.get(b"a", 0.0)
    store.put((b"d",), "s", entry("d"), 0.0)

    assert kept(store, "abcd") == "acd"


def test_4_storing_a_key_again_makes_no_second_place_for_it():
    store = store_of(2)
    for _ in range(10):
        store.put((b"a",), "s", entry("a"), 0.0)
    store.put((b"b",), "s", entry("b"), 0.0)

    assert len(store) == 2
    assert kept(store, "ab") == "ab"
    assert store.evictions == 0


def test_4_what_expired_makes_room_without_being_asked_for():
    store = store_of(1000)
    for number in range(8):
        store.put((b"%d" % number,), "s", entry("old"), 0.0)
    store.put((b"new",), "s", entry("new"), 1000.0)

    assert len(store) == 1
    assert store.expirations == 8
