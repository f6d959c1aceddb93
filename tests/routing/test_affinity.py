"""The balance of a prompt cache: what staying and leaving cost, by hand."""

import pytest

from routing.affinity import Visit, loop_is_open, warm_tokens, weigh
from routing.catalog import PriceList
from routing.chat import Features

DOLLAR = 10**9
# $15 in, $75 out; $1 in, $5 out. Cache reads a tenth, cache writes five quarters.
LARGE = PriceList(15 * DOLLAR, 75 * DOLLAR, 3 * DOLLAR // 2, 75 * DOLLAR // 4)
SMALL = PriceList(DOLLAR, 5 * DOLLAR, DOLLAR // 10, 5 * DOLLAR // 4)
MEDIUM = PriceList(3 * DOLLAR, 15 * DOLLAR, 3 * DOLLAR // 10, 15 * DOLLAR // 4)


def visit(cached=0, written=0, at=1000.0):
    return Visit("large", 3, cached, written, at)


def features(prompt, output=100):
    return Features(prompt_tokens=prompt, max_output=output)


def test_the_next_call_alone_is_compared_when_there_was_one():
    balance = weigh(
        visit(cached=90_000), LARGE, SMALL, features(100_000), warm=90_000, calls=1
    )

    # 90 000 read at 1.5 $, 10 000 at 15 $ and 100 at 75 $ a million.
    assert balance.stay == 135_000_000 + 150_000_000 + 7_500_000
    assert balance.leave == 100_000_000 + 500_000
    assert not balance.stays


def test_a_warm_dear_model_can_be_cheaper_than_a_cold_cheap_one():
    balance = weigh(
        visit(cached=99_000), MEDIUM, SMALL, features(100_000), warm=99_000, calls=1
    )

    assert balance.stay == 29_700_000 + 3_000_000 + 1_500_000
    assert balance.leave == 100_000_000 + 500_000
    assert balance.stays
    assert balance.facts() == {
        "warm_tokens": 99_000,
        "prompt_tokens": 100_000,
        "calls_ahead": 1,
        "stay_usd": 0.0342,
        "leave_usd": 0.1005,
    }


def test_a_long_conversation_pays_the_cold_start_back():
    def balance(calls):
        return weigh(
            visit(cached=99_000),
            MEDIUM,
            SMALL,
            features(100_000),
            warm=99_000,
            calls=calls,
        )

    # Each later call costs 0.0342 $ here and 0.0114 $ there.
    assert [balance(calls).stays for calls in (1, 2, 3, 4, 5)] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert balance(50).calls_ahead == 10
    assert balance(0).calls_ahead == 1


def test_who_paid_for_writing_the_cache_pays_for_it_again_elsewhere():
    balance = weigh(
        visit(cached=80_000, written=10_000),
        MEDIUM,
        SMALL,
        features(100_000, 0 + 1),
        warm=90_000,
        calls=1,
    )

    assert balance.stay == 90_000 * 300 + 10_000 * 3750 + 15_000
    assert balance.leave == 100_000 * 1250 + 5_000


@pytest.mark.parametrize(
    ("cached", "written", "prompt", "later", "warm"),
    [
        (100, 20, 500, 0, 120),
        (100, 20, 500, 300, 120),
        (100, 20, 500, 301, 0),
        (1000, 0, 500, 0, 500),  # the history was cut
        (0, 0, 500, 0, 0),
    ],
)
def test_what_is_still_warm(cached, written, prompt, later, warm):
    found = warm_tokens(visit(cached, written), features(prompt), 1000.0 + later)

    assert found == warm


CALL = {"role": "assistant", "tool_calls": [{"id": "1"}]}
USER = {"role": "user", "content": "Hi"}
TOOL = {"role": "tool", "tool_call_id": "1", "content": "4"}


@pytest.mark.parametrize(
    ("messages", "is_open"),
    [
        ([USER], False),
        ([USER, CALL], True),
        ([USER, CALL, TOOL], True),
        ([USER, CALL, TOOL, USER], True),  # told while the tools ran
        ([USER, CALL, TOOL, {"role": "assistant", "content": "4"}, USER], False),
        ([USER, {"role": "assistant", "function_call": {"name": "f"}}], True),
        ([], False),
    ],
)
def test_a_loop_is_open_until_the_assistant_has_spoken(messages, is_open):
    assert loop_is_open(messages) is is_open
