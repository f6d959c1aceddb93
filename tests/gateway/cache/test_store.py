import os
from pathlib import Path
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway.cache.store import AnswerStore, Entry
from routing.chat import Usage


def entry(body=b"{}"):
    return Entry(body, Usage(3, 1), "haiku", "claude", 1, 5, 10, "req-1")


def store(max_entries=10, max_bytes=1 << 20, ttl_seconds=100.0, removed=None):
    gone = [] if removed is None else removed
    return AnswerStore(
        max_entries,
        max_bytes,
        ttl_seconds,
        Random(1),
        lambda slot: gone.append(slot.id),
    )


def test_an_entry_is_found_by_each_of_its_keys_until_it_expires():
    answers = store(ttl_seconds=100.0)
    answers.put((b"exact", b"canonical"), "s", entry(b"4"), now=0.0)
    assert answers.get(b"exact", now=89.0).entry.body == b"4"
    assert answers.get(b"canonical", now=89.0).hits == 2
    assert answers.get(b"exact", now=111.0) is None
    assert (len(answers), answers.bytes, answers.expirations) == (0, 0, 1)


def test_lifetimes_differ_by_a_tenth_so_that_entries_do_not_expire_together():
    answers = store(max_entries=200, ttl_seconds=100.0)
    for number in range(200):
        answers.put((b"%d" % number,), "s", entry(), now=0.0)

    def alive(now):
        return sum(answers.get(b"%d" % n, now) is not None for n in range(200))

    assert alive(89.9) == 200
    assert 60 < alive(100.0) < 140
    assert alive(110.1) == 0


def test_the_least_recently_used_goes_first_and_a_read_is_a_use():
    answers = store(max_entries=2)
    answers.put((b"a",), "s", entry(), now=0.0)
    answers.put((b"b",), "s", entry(), now=0.0)
    answers.get(b"a", now=1.0)
    answers.put((b"c",), "s", entry(), now=2.0)
    assert answers.get(b"b", now=3.0) is None
    assert answers.get(b"a", now=3.0) and answers.get(b"c", now=3.0)
    assert answers.evictions == 1


def test_of_the_least_recently_used_the_one_that_saved_least_goes_first():
    answers = store(max_entries=3)
    for key in (b"a", b"b", b"c"):
        answers.put((key,), "s", entry(), now=0.0)
    for _ in range(4):
        answers.get(b"a", now=1.0)
    answers.get(b"b", now=1.0)
    answers.get(b"c", now=1.0)
    answers.put((b"d",), "s", entry(), now=2.0)
    # a is the least recently used, but was worth more than b.
    left = [key for key in (b"a", b"b", b"c", b"d") if answers.get(key, now=2.0)]
    assert left == [b"a", b"c", b"d"]


def test_hits_of_long_ago_do_not_keep_an_answer_for_ever():
    answers = store(max_entries=2)
    answers.put((b"popular",), "s", entry(), now=0.0)
    for _ in range(100):
        answers.get(b"popular", now=0.0)
    for number in range(12):
        answers.put((b"%d" % number,), "s", entry(), now=1.0)
        answers.get(b"%d" % number, now=1.0)
    assert answers.get(b"popular", now=1.0) is None


def test_a_stale_answer_is_had_for_as_long_as_allowed():
    answers = store(ttl_seconds=100.0)
    answers.resize(10, 1 << 20, 100.0, stale_seconds=50.0)
    answers.put((b"a",), "s", entry(), now=0.0)
    assert answers.get(b"a", now=120.0).expires_at <= 120.0
    answers.put((b"b",), "s", entry(), now=130.0)  # sweeps what has expired
    assert answers.get(b"a", now=130.0) is not None
    assert answers.get(b"a", now=161.0) is None


def test_an_answer_is_forgotten_by_the_request_that_bought_it_in_its_scope():
    answers = store()
    answers.put((b"a", b"canonical"), "s", entry(), now=0.0)
    assert not answers.forget("other", "req-1")
    assert answers.forget("s", "req-1")
    assert answers.get(b"canonical", now=0.0) is None
    assert not answers.forget("s", "req-1")


def test_storing_again_replaces_and_leaves_no_duplicate():
    answers = store(max_entries=2)
    answers.put((b"a", b"canonical"), "s", entry(b"old"), now=0.0)
    before = answers.bytes
    for _ in range(5):
        answers.put((b"a", b"canonical"), "s", entry(b"new"), now=1.0)
    assert (len(answers), answers.bytes) == (1, before)
    assert answers.get(b"canonical", now=2.0).entry.body == b"new"
    answers.put((b"b",), "s", entry(), now=2.0)
    assert answers.get(b"a", now=3.0) and answers.get(b"b", now=3.0)


def test_an_evicted_entry_takes_all_its_keys_with_it():
    removed = []
    answers = store(max_entries=1, removed=removed)
    answers.put((b"a", b"canonical"), "s", entry(), now=0.0)
    answers.put((b"b",), "s", entry(), now=0.0)
    assert answers.get(b"canonical", now=0.0) is None
    assert removed == [b"a"]


def test_a_key_taken_over_by_a_newer_entry_survives_the_older_one():
    answers = store(max_entries=2)
    answers.put((b"a", b"canonical"), "s", entry(b"old"), now=0.0)
    answers.put((b"b", b"canonical"), "s", entry(b"new"), now=0.0)
    answers.put((b"c",), "s", entry(), now=0.0)  # evicts a
    assert answers.get(b"canonical", now=0.0).entry.body == b"new"


def test_bytes_are_bounded_keys_and_index_included():
    answers = store(max_entries=10**6, max_bytes=50_000)
    for number in range(1000):
        answers.put((b"%d" % number,), "s", entry(b"x" * 100), 0.0, index_bytes=1000)
        assert answers.bytes <= 50_000
    assert len(answers) == 21  # 1000 + 200 + 100 + 1 + 1000 bytes each


def test_an_entry_larger_than_the_bound_is_not_kept_and_displaces_nothing():
    answers = store(max_bytes=10_000)
    answers.put((b"a",), "s", entry(), now=0.0)
    assert not answers.put((b"big",), "s", entry(b"x" * 10_000), now=0.0)
    assert answers.get(b"a", now=0.0)


def test_narrower_bounds_act_at_once():
    answers = store(max_entries=10)
    for number in range(10):
        answers.put((b"%d" % number,), "s", entry(), now=0.0)
    answers.resize(max_entries=3, max_bytes=1 << 20, ttl_seconds=1.0)
    assert [answers.get(b"%d" % n, 0.5) is not None for n in (0, 6, 7, 8, 9)] == [
        *(False, False, True, True, True)
    ]
    answers.put((b"new",), "s", entry(), now=0.5)
    assert answers.get(b"new", now=1.7) is None


def test_entries_that_expired_unread_make_room_when_others_are_stored():
    answers = store(max_entries=100, ttl_seconds=10.0)
    for number in range(20):
        answers.put((b"%d" % number,), "s", entry(), now=0.0)
    for number in range(3):
        answers.put((b"new %d" % number,), "s", entry(), now=12.0)
    assert (len(answers), answers.expirations) == (3, 20)


def test_a_purge_of_one_scope_leaves_the_others():
    answers = store()
    answers.put((b"a",), "team-a", entry(), now=0.0)
    answers.put((b"b",), "team-b", entry(), now=0.0)
    assert answers.purge("team-a") == 1
    assert answers.purge("nobody") == 0
    assert answers.get(b"a", now=0.0) is None
    assert answers.get(b"b", now=0.0)
    assert answers.purge() == 1
    assert (len(answers), answers.bytes) == (0, 0)


class AnyHistory(RuleBasedStateMachine):
    """Whatever happens, the bounds hold and nothing stays behind."""

    def __init__(self):
        super().__init__()
        self.alive = set()
        self.answers = AnswerStore(
            4, 8000, 10.0, Random(1), lambda slot: self.alive.discard(slot.id)
        )
        self.now = 0.0

    @rule(id=st.integers(0, 6), alias=st.integers(0, 3), size=st.integers(0, 4000))
    def put(self, id, alias, size):
        keys = (b"id %d" % id, b"alias %d" % alias)
        if self.answers.put(keys, f"s{id % 2}", entry(b"x" * size), self.now):
            self.alive.add(keys[0])

    @rule(id=st.integers(0, 6), alias=st.integers(0, 5))
    def learn(self, id, alias):
        self.answers.add_key(b"id %d" % id, b"alias %d" % alias)

    @rule(id=st.integers(0, 6), seconds=st.floats(0, 5))
    def get(self, id, seconds):
        self.now += seconds
        slot = self.answers.get(b"id %d" % id, self.now)
        assert slot is None or slot.expires_at > self.now

    @rule(scope=st.sampled_from(["s0", "s1", None]))
    def purge(self, scope):
        self.answers.purge(scope)

    @invariant()
    def bounded_and_tidy(self):
        assert len(self.answers) <= 4 and self.answers.bytes <= 8000
        assert len(self.answers) == len(self.alive)
        slots = [self.answers.get(id, 0.0) for id in sorted(self.alive)]
        assert sum(slot.size for slot in slots) == self.answers.bytes


AnyHistory.TestCase.settings = settings(max_examples=40, stateful_step_count=30)
TestAnyHistory = AnyHistory.TestCase


@pytest.mark.slow
def test_d10_the_process_stops_growing_while_large_answers_come_and_go():
    """A hundred thousand answers of 100 KB through a cache of 64 MB."""

    def resident() -> int:
        pages = Path("/proc/self/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    answers = store(max_entries=10**6, max_bytes=64 << 20)
    seen = []
    for number in range(100_000):
        body = bytes([number % 251]) * 100_000
        answers.put((b"%d" % number,), "s", entry(body), now=number / 1e6)
        if number % 20_000 == 19_999:
            seen.append(resident())

    assert answers.bytes <= 64 << 20
    assert max(seen) - seen[0] < 16 << 20
