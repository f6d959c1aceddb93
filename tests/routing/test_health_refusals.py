"""A backend's health when its provider refuses: our key, the model, or for a while."""

from random import Random

import pytest

from routing.health import Health, Outcome, State

OK = Outcome.OK


def health() -> Health:
    return Health(0.0, Random(1))


def test_a_refused_key_takes_it_out_until_a_probe_succeeds():
    subject = health()
    subject.record(OK, 1.0)
    subject.record(Outcome.AUTH, 2.0)
    assert subject.state is State.MISCONFIGURED
    assert not subject.trial_due(10_000.0, panic=True)

    subject.record(OK, 3.0)  # a call that began before
    assert subject.state is State.MISCONFIGURED

    subject.record(OK, 4.0, trial=True)
    assert subject.state is State.HEALTHY


def test_a_missing_model_takes_it_out_at_once_and_each_time_for_longer():
    subject = health()
    subject.record(OK, 1.0)
    subject.record(Outcome.MODEL_MISSING, 2.0)
    first = subject.down_until
    assert subject.state is State.DOWN
    assert "does not have the model" in subject.reason

    subject.record(Outcome.MODEL_MISSING, 3.0)  # a call that began before
    assert subject.down_until == first

    subject.record(Outcome.MODEL_MISSING, 10.0, trial=True)
    assert subject.down_until - 10.0 > first - 2.0


def test_after_a_missing_model_probes_tell_nothing_until_a_call_has_worked():
    subject = health()
    subject.record(Outcome.MODEL_MISSING, 1.0)
    assert not subject.probes_tell

    subject.record(OK, 10.0, trial=True)
    assert subject.probes_tell
    assert subject.state is State.HALF_OPEN


def test_a_429_cools_it_down_without_counting_as_a_failure():
    subject = health()
    subject.record(OK, 1.0)
    for _ in range(20):
        subject.record(Outcome.RATE_LIMITED, 2.0, retry_after=30.0)

    assert subject.state is State.HEALTHY
    assert subject.rate_limited_until == 32.0
    assert subject.status_for_people(3.0) == "rate_limited"
    assert subject.status_for_people(33.0) == "healthy"


@pytest.mark.parametrize("absurd", [1e9, float("inf")])
def test_an_absurd_retry_after_is_cut(absurd):
    subject = health()
    subject.record(Outcome.RATE_LIMITED, 0.0, retry_after=absurd)

    assert subject.rate_limited_until == 120.0


@pytest.mark.parametrize("useless", [None, 0.0, -5.0, float("nan")])
def test_without_a_usable_retry_after_the_wait_doubles(useless):
    subject, waits = health(), []
    for now in (0.0, 1000.0, 2000.0, 3000.0, 4000.0, 5000.0, 6000.0, 7000.0):
        subject.record(Outcome.RATE_LIMITED, now, retry_after=useless)
        waits.append(subject.rate_limited_until - now)

    for wait, guess in zip(waits, [1, 2, 4, 8, 16, 32, 60, 60], strict=True):
        assert 0.8 * guess <= wait <= 1.2 * guess
