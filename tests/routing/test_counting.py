import pytest

from routing.counting import counted


@pytest.mark.parametrize(
    ("number", "told"),
    [(0, "0 calls"), (1, "1 call"), (2, "2 calls"), (1234, "1,234 calls")],
)
def test_one_thing_is_no_things(number, told):
    assert counted(number, "call") == told


def test_the_verb_follows_the_number():
    assert counted(1, "run goes", "runs go") == "1 run goes"
    assert counted(3, "run goes", "runs go") == "3 runs go"
