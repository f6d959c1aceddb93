"""The retry budget: U10 and U11 of the fault catalogue."""

from routing.retries import RetryBudget


def test_a_storm_of_failures_is_retried_at_most_a_fifth_of_the_time():
    budget = RetryBudget(ratio=0.2)
    retries = 0
    for _ in range(1000):
        budget.deposit()
        retries += budget.allow()

    assert 200 <= retries <= 205


def test_the_first_failures_after_a_quiet_time_may_be_retried():
    budget = RetryBudget(ratio=0.2)

    assert [budget.allow() for _ in range(6)] == [True] * 5 + [False]


def test_a_quiet_time_saves_up_no_more_than_the_burst():
    budget = RetryBudget(ratio=0.2, burst=2)
    for _ in range(1000):
        budget.deposit()

    assert [budget.allow() for _ in range(3)] == [True, True, False]


def test_ten_requests_at_a_tenth_earn_one_retry():
    budget = RetryBudget(ratio=0.1, burst=3)
    while budget.allow():
        pass
    for _ in range(10):
        budget.deposit()

    assert [budget.allow(), budget.allow()] == [True, False]


def test_a_ratio_of_zero_means_no_retries_at_all():
    budget = RetryBudget(ratio=0.0)
    budget.deposit()

    assert not budget.allow()
