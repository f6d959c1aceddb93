"""The sliding window of failures, and the latency whose past fades."""

import pytest

from routing.measures import Latency, Window


def test_a_minute_old_failure_is_forgotten():
    window = Window()
    for second in range(10):
        window.add(True, now=100.0 + second)
    assert window.failing(1.0)

    for second in range(10):
        window.add(False, now=170.0 + second)

    assert (window.calls, window.failures) == (10, 0)


def test_few_calls_say_nothing():
    window = Window()
    for _ in range(9):
        window.add(True, now=1.0)
    assert not window.failing(0.1)

    window.add(False, now=1.0)

    assert window.failing(0.9)
    assert not window.failing(0.91)


def test_a_window_keeps_a_bounded_number_of_slots():
    window = Window()
    for second in range(10_000):
        window.add(False, now=float(second))

    assert 55 <= window.calls <= 60


def test_latency_moves_a_fifth_of_the_way():
    latency = Latency()
    assert latency.expected(0.0) is None

    latency.add(1.0, now=10.0)
    latency.add(2.0, now=10.0)

    assert latency.average == pytest.approx(1.2)


def test_a_slow_past_fades_while_nobody_asks_and_then_weighs_less():
    latency = Latency()
    latency.add(8.0, now=0.0)

    assert latency.expected(30.0) == pytest.approx(4.0)
    assert latency.expected(90.0) == pytest.approx(1.0)

    latency.add(1.0, now=90.0)
    assert latency.average == pytest.approx(1.7)
