"""Who is let in, who is told to come back, and that every place is given back."""

from contextlib import ExitStack
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.errors import GatewayError, Overloaded, ShuttingDown, TooManyRequests
from gateway.ledger.books import Caller
from gateway.runtime.admission import Admission

LAPTOP = Caller("key:1", key_id=1)
PHONE = Caller("key:2", key_id=2)


def admission(max_in_flight=10, max_held_bytes=1000, seed=1):
    return Admission(max_in_flight, 100, max_held_bytes, Random(seed))


@pytest.fixture
def enter():
    """Take places that are held until the test is over."""
    with ExitStack() as inside:

        def enter(gate, caller, count=1):
            for _ in range(count):
                inside.enter_context(gate.admit(caller))

        yield enter


def refused(gate, caller):
    with pytest.raises(GatewayError) as error, gate.admit(caller):
        raise AssertionError("let in")
    return error.value


def test_a_place_is_held_as_long_as_the_request_lasts():
    gate = admission()
    with gate.admit(LAPTOP), gate.admit(PHONE):
        assert gate.in_flight == 2
        assert gate.by_scope == {"key:1": 1, "key:2": 1}
        assert gate.by_key == {1: 1, 2: 1}
    assert (gate.in_flight, gate.by_scope, gate.by_key) == (0, {}, {})


def test_a_place_is_given_back_when_the_request_fails():
    gate = admission()
    with pytest.raises(RuntimeError), gate.admit(LAPTOP):
        raise RuntimeError
    assert (gate.in_flight, gate.by_scope, gate.by_key) == (0, {}, {})


def test_the_last_place_is_given_and_the_next_request_is_turned_away(enter):
    gate = admission(max_in_flight=3)
    enter(gate, LAPTOP, 3)
    error = refused(gate, LAPTOP)
    assert isinstance(error, Overloaded)
    assert (error.status, error.code) == (503, "overloaded")
    assert gate.in_flight == 3


def test_a_key_has_its_own_bound_and_hits_nobody_else(enter):
    gate = admission()
    bounded = Caller("team:a", key_id=1, max_in_flight=2)
    sibling = Caller("team:a", key_id=2)
    enter(gate, bounded, 2)
    error = refused(gate, bounded)
    assert isinstance(error, TooManyRequests)
    assert "2 requests" in error.message
    with gate.admit(sibling):
        assert gate.in_flight == 3


def test_a_key_without_a_bound_may_use_the_whole_process_alone(enter):
    gate = admission(max_in_flight=10)
    enter(gate, LAPTOP, 10)
    assert isinstance(refused(gate, LAPTOP), Overloaded)


def test_in_a_crowd_no_scope_takes_more_than_its_share(enter):
    gate = admission(max_in_flight=10)
    enter(gate, PHONE)
    enter(gate, LAPTOP, 5)
    error = refused(gate, LAPTOP)
    assert isinstance(error, TooManyRequests)
    assert "share" in error.message
    enter(gate, PHONE, 4)
    assert gate.in_flight == 10


def test_the_share_is_of_the_scope_not_of_each_of_its_keys(enter):
    gate = admission(max_in_flight=10)
    enter(gate, PHONE)
    for key_id in range(10, 15):
        enter(gate, Caller("team:a", key_id=key_id))
    assert isinstance(refused(gate, Caller("team:a", key_id=99)), TooManyRequests)


def test_while_there_is_room_nobody_asks_for_shares(enter):
    gate = admission(max_in_flight=100)
    enter(gate, PHONE)
    enter(gate, LAPTOP, 49)
    assert gate.in_flight == 50


def test_while_draining_nobody_is_let_in_and_who_is_in_stays():
    gate = admission()
    with gate.admit(LAPTOP):
        gate.draining = True
        error = refused(gate, PHONE)
        assert isinstance(error, ShuttingDown)
        assert gate.in_flight == 1
    assert gate.in_flight == 0


def test_those_turned_away_together_do_not_come_back_together():
    gate = admission(max_in_flight=0)
    waits = [refused(gate, LAPTOP).retry_after for _ in range(50)]
    assert all(1 <= wait <= 3 for wait in waits)
    assert len(set(waits)) > 40


# --- bodies ---------------------------------------------------------------------------


def test_bodies_of_all_requests_together_are_bounded():
    gate = admission(max_held_bytes=1000)
    with gate.admit(LAPTOP, 600):
        with pytest.raises(Overloaded), gate.admit(LAPTOP, 401):
            raise AssertionError("let in")
        assert gate.in_flight == 1
        with gate.admit(LAPTOP, 400):
            assert gate.held_bytes == 1000
    assert gate.held_bytes == 0


def test_bytes_are_given_back_when_reading_fails():
    gate = admission()
    with pytest.raises(RuntimeError), gate.admit(LAPTOP, 10):
        raise RuntimeError
    assert gate.held_bytes == 0


# --- any order of coming and going ----------------------------------------------------


class Door(RuleBasedStateMachine):
    """Requests come and go in any order; the counts are those of the open ones."""

    def __init__(self):
        super().__init__()
        self.gate = admission(max_in_flight=6)
        self.inside = []

    @rule(scope=st.sampled_from(["a", "b", "c"]), bound=st.sampled_from([0, 1, 3]))
    def come(self, scope, bound):
        caller = Caller(scope, key_id=ord(scope), max_in_flight=bound)
        place = self.gate.admit(caller)
        try:
            place.__enter__()
        except (Overloaded, TooManyRequests):
            return
        self.inside.append((caller, place))

    @precondition(lambda self: self.inside)
    @rule(data=st.data())
    def go(self, data):
        index = data.draw(st.integers(0, len(self.inside) - 1))
        self.inside.pop(index)[1].__exit__(None, None, None)

    @invariant()
    def counts_are_true(self):
        scopes = [caller.scope for caller, _ in self.inside]
        assert self.gate.in_flight == len(scopes) <= 6
        assert dict(self.gate.by_scope) == {s: scopes.count(s) for s in set(scopes)}
        assert sum(self.gate.by_key.values()) == len(scopes)


Door.TestCase.settings = settings(max_examples=30, stateful_step_count=30)
TestDoor = Door.TestCase
