"""A lease counts a request once, whatever happens inside it."""

from random import Random

import pytest

from routing.catalog import Backend
from routing.health import Health, Outcome, State
from routing.lease import Lease, Member

BACKEND = Backend("haiku", tier=1)


def member():
    return Member(BACKEND, Health(0.0, Random(1)))


def lease(subject, now=1.0):
    return Lease(BACKEND, subject, lambda: now)


def test_a_request_is_in_flight_until_the_block_ends():
    subject = member()

    with lease(subject) as held:
        assert subject.in_flight == 1
        held.report(Outcome.OK, latency=0.5)
        assert subject.in_flight == 1

    assert (subject.in_flight, subject.total_requests, subject.errors) == (0, 1, 0)
    assert subject.health.latency.average == 0.5


def test_an_error_leaves_nothing_in_flight():
    subject = member()

    with pytest.raises(ZeroDivisionError), lease(subject):
        raise ZeroDivisionError

    assert subject.in_flight == 0
    assert subject.health.state is State.STARTING


def test_a_client_who_hangs_up_does_not_mark_the_backend_down():
    """Defect 6 of the reference."""
    subject = member()
    for _ in range(100):
        with lease(subject):
            pass

    assert subject.health.state is State.STARTING
    assert subject.errors == 0


def test_only_the_first_report_counts():
    subject = member()

    with lease(subject) as held:
        held.report(Outcome.OK)
        held.report(Outcome.AUTH)

    assert subject.health.state is State.HEALTHY
    assert subject.errors == 0


def test_failures_count_as_errors_and_a_clients_mistakes_do_not():
    subject = member()
    for outcome in Outcome:
        with lease(subject) as held:
            held.report(outcome)

    assert subject.errors == 6
    assert subject.total_requests == len(Outcome)


def test_a_trial_that_the_client_left_makes_room_for_the_next():
    subject = member()
    for _ in range(2):
        subject.health.record(Outcome.CONNECT_ERROR, 0.0)

    with lease(subject, now=20.0) as held:
        assert held.trial
        assert not subject.health.trial_due(20.0)

    assert subject.health.state is State.HALF_OPEN
    assert subject.health.trial_due(20.0)


def test_an_old_call_says_nothing_about_a_new_configuration():
    subject = member()

    with lease(subject) as held:
        subject.health = Health(1.0, Random(1))
        held.report(Outcome.AUTH)

    assert subject.health.state is State.STARTING
    assert subject.in_flight == 0
