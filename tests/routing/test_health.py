"""The state machine of a backend's health, with a clock of our own."""

from random import Random

import pytest

from routing.health import Health, Outcome, State

DOWN_NOW = 100.0


def health(listener=None):
    return Health(0.0, Random(1), listener)


def down_health(times=1):
    """A backend whose last ejection, of so many, was at about DOWN_NOW."""
    subject = health()
    subject.record(Outcome.CONNECT_ERROR, DOWN_NOW)
    subject.record(Outcome.CONNECT_ERROR, DOWN_NOW)
    for _ in range(times - 1):
        subject.record(Outcome.CONNECT_ERROR, DOWN_NOW, trial=True)
    return subject


def feed(subject, outcomes, now=1.0):
    for outcome in outcomes:
        subject.record(outcome, now)


OK, FAILED = Outcome.OK, Outcome.SERVER_ERROR


def test_nothing_known_is_starting_and_one_answer_is_healthy():
    subject = health()
    assert subject.state is State.STARTING

    subject.record(OK, 1.0)

    assert subject.state is State.HEALTHY


@pytest.mark.parametrize("outcome", [Outcome.TIMEOUT, FAILED, Outcome.BAD_RESPONSE])
def test_five_failures_in_a_row_take_it_out(outcome):
    subject = health()
    feed(subject, [OK, *[outcome] * 4])
    assert subject.state is State.DEGRADED

    subject.record(outcome, 2.0)

    assert subject.state is State.DOWN


def test_an_unreachable_backend_is_down_after_two_calls():
    subject = health()
    feed(subject, [OK, Outcome.CONNECT_ERROR])
    assert subject.state is State.HEALTHY

    subject.record(Outcome.CONNECT_ERROR, 2.0)

    assert subject.state is State.DOWN


@pytest.mark.parametrize("outcome", [Outcome.CLIENT_ABORT, Outcome.CLIENT_ERROR])
def test_what_clients_do_never_marks_a_backend_down(outcome):
    """Defect 6 of the reference: a client that hung up marked it down for ever."""
    subject = health()
    feed(subject, [OK, *[outcome] * 100])

    assert subject.state is State.HEALTHY

    # Nor does it hide that the backend fails.
    feed(subject, [FAILED, outcome] * 5)
    assert subject.state is State.DOWN


def test_a_fifth_of_failures_degrades_and_less_than_a_tenth_recovers():
    subject = health()
    feed(subject, [OK, OK, OK, OK, FAILED] * 2)
    assert subject.state is State.DEGRADED
    assert subject.reason == "2 of the last 10 calls failed."

    feed(subject, [OK] * 10)
    assert subject.state is State.DEGRADED  # exactly a tenth: not yet

    feed(subject, [OK])
    assert subject.state is State.HEALTHY


def test_half_of_failures_take_it_out_even_when_never_five_in_a_row():
    subject = health()
    feed(subject, [OK, FAILED] * 4)
    assert subject.state is not State.DOWN

    feed(subject, [OK, FAILED])

    assert subject.state is State.DOWN


def test_failures_a_minute_ago_do_not_count():
    subject = health()
    feed(subject, [OK, FAILED] * 4, now=1.0)
    feed(subject, [OK, FAILED], now=70.0)

    assert subject.state is not State.DOWN


def test_down_is_not_permanent():
    """Defect 6 of the reference: nothing ever looked again."""
    subject = down_health()
    assert not subject.trial_due(DOWN_NOW)

    later = DOWN_NOW + 9.0
    assert subject.trial_due(later)
    subject.begin_trial(later)
    assert subject.state is State.HALF_OPEN
    subject.record(OK, later, trial=True)
    subject.end_trial()
    assert subject.state is State.HALF_OPEN

    subject.record(OK, later + 1, trial=True)
    assert subject.state is State.HEALTHY


def test_one_trial_at_a_time():
    subject = down_health()
    later = DOWN_NOW + 9.0
    subject.begin_trial(later)
    assert not subject.trial_due(later)
    assert not subject.trial_due(later, panic=True)

    subject.end_trial()

    assert subject.trial_due(later)


def test_each_failed_trial_doubles_the_time_out_up_to_two_minutes():
    waits = [down_health(times).down_until - DOWN_NOW for times in (1, 2, 3, 4, 5, 6)]
    waits.append(down_health(50).down_until - DOWN_NOW)

    for wait, doubled in zip(waits, [5, 10, 20, 40, 80, 120, 120], strict=True):
        assert 0.8 * doubled <= wait <= 1.2 * doubled


def test_time_out_is_jittered():
    waits = set()
    for seed in range(5):
        subject = Health(0.0, Random(seed))
        feed(subject, [Outcome.CONNECT_ERROR] * 2)
        waits.add(subject.down_until)

    assert len(waits) == 5


def test_a_flapping_backend_is_left_out_longer_each_time():
    subject, now, waits = health(), 0.0, []
    for _ in range(5):
        feed(subject, [Outcome.CONNECT_ERROR] * 2, now)
        waits.append(subject.down_until - now)
        now = subject.down_until + 3.0
        subject.begin_trial(now)
        subject.end_trial()
        for _ in range(2):
            subject.record(OK, now, trial=True)
        assert subject.state is State.HEALTHY

    assert waits == sorted(waits)
    assert waits[-1] >= 60


def test_long_good_health_is_forgiving():
    subject = down_health(times=6)
    now = subject.down_until + 5.0
    subject.record(OK, now, trial=True)
    subject.record(OK, now, trial=True)

    now += 3600.0
    feed(subject, [Outcome.CONNECT_ERROR] * 2, now)

    assert subject.down_until - now <= 6.0


def test_recovery_forgets_the_failures_before():
    subject = health()
    feed(subject, [OK, FAILED] * 5, now=1.0)
    assert subject.state is State.DOWN
    for _ in range(2):
        subject.record(OK, 12.0, trial=True)

    feed(subject, [FAILED], now=13.0)

    assert subject.state is State.HEALTHY


def test_calls_that_began_before_do_not_decide_about_a_backend_that_is_out():
    subject = down_health()
    until = subject.down_until

    feed(subject, [OK, OK, FAILED], now=DOWN_NOW + 1)

    assert subject.state is State.DOWN
    assert subject.down_until == until


def test_requests_leave_the_first_try_to_a_probe():
    subject = down_health()

    assert not subject.trial_due(subject.down_until + 1.9)
    assert subject.trial_due(subject.down_until + 2.0)


def test_in_panic_a_trial_is_due_long_before_the_time():
    subject = down_health(times=6)
    assert subject.down_until > DOWN_NOW + 90
    assert not subject.trial_due(DOWN_NOW + 4.9, panic=True)

    assert subject.trial_due(DOWN_NOW + 5.0, panic=True)
    assert not subject.trial_due(DOWN_NOW + 5.0)


def test_every_transition_is_told_and_kept():
    told = []
    subject = health(told.append)
    feed(subject, [OK, *[FAILED] * 5], now=7.0)

    assert [(event.old, event.new) for event in told] == [
        (State.STARTING, State.HEALTHY),
        (State.HEALTHY, State.DEGRADED),
        (State.DEGRADED, State.DOWN),
    ]
    assert told[-1].at == 7.0
    assert told[-1].reason == (
        "5 calls in a row failed; the last one failed on the provider's side."
    )
    assert list(subject.events) == told


def test_the_history_is_bounded():
    subject = health()
    for now in range(1000):
        subject.record(Outcome.AUTH, float(now))
        subject.record(OK, float(now), trial=True)

    assert len(subject.events) == 50


def test_what_people_are_told():
    subject = down_health()
    assert subject.status_for_people(DOWN_NOW) == "down"
    subject.begin_trial(DOWN_NOW + 9.0)
    assert subject.status_for_people(DOWN_NOW + 9.0) == "degraded"
    assert health().status_for_people(0.0) == "starting"
