import pytest

from gateway.cache import Entry, Withdrawal, Withdrawals
from gateway.cache.withdrawal import latest
from routing.chat import Usage


def entry(at: float = 10.0) -> Entry:
    return Entry(b"{}", Usage(), "small", "model-1", 1, 5, 70, "req-1", at=at)


@pytest.mark.parametrize(
    ("rule", "covers"),
    [
        (Withdrawal("", "", 10.0), True),
        (Withdrawal("team:a", "", 10.0), True),
        (Withdrawal("team:b", "", 10.0), False),
        (Withdrawal("", "model-1", 10.0), True),
        (Withdrawal("", "small", 10.0), True),
        (Withdrawal("", "model-2", 10.0), False),
        (Withdrawal("team:a", "small", 9.9), False),
    ],
)
def test_all_that_a_rule_says_must_apply(rule: Withdrawal, covers: bool):
    assert Withdrawals((rule,)).cover("team:a", entry()) is covers


def test_a_single_answer_is_covered_in_its_scope_only():
    one = Withdrawals(requests=frozenset({("team:a", "req-1")}))
    assert one.cover("team:a", entry())
    assert not one.cover("team:b", entry())
    assert bool(one) and not Withdrawals()


def test_an_answer_of_unknown_age_is_older_than_any_rule():
    assert Withdrawals((Withdrawal("", "", 1.0),)).cover("team:a", entry(at=0.0))


def test_of_two_rules_for_the_same_the_later_one_is_enough():
    rules = [
        Withdrawal("a", "", 1.0),
        Withdrawal("a", "", 3.0),
        Withdrawal("", "", 2.0),
    ]
    assert set(latest(rules)) == {rules[1], rules[2]}
