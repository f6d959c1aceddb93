"""What the page and the JSON of a request work out of its rows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.models import Attempt, RequestLog
from gateway.story import cost_lines, who_asked, why_not_cheaper
from routing.catalog import PriceList
from routing.chat import Usage
from routing.pricing import cost_nano

TOKENS = st.integers(0, 10**6)
PRICES = st.integers(0, 10**12)


@given(TOKENS, TOKENS, TOKENS, TOKENS, TOKENS, st.tuples(*[PRICES] * 4))
def test_the_lines_of_a_cost_add_up_to_what_was_charged(
    prompt, completion, cached, written, for_an_hour, prices
):
    price = PriceList(*prices)
    usage = Usage(
        prompt=prompt,
        completion=completion,
        cached=cached,
        cache_write=written,
        cache_write_1h=for_an_hour,
    )
    attempt = Attempt(
        state="billed",
        prompt_tokens=prompt,
        completion_tokens=completion,
        cached_tokens=cached,
        cache_write_tokens=written,
        cache_write_1h_tokens=for_an_hour,
        price={
            "input": price.input,
            "output": price.output,
            "cache_read": price.cache_read,
            "cache_write": price.cache_write,
            "cache_write_1h": price.cache_write_1h,
        },
    )

    lines = cost_lines(attempt)

    whole = sum(line.tokens * line.nano_usd_per_million for line in lines)
    assert -(-whole // 1_000_000) == cost_nano(usage, price)


@pytest.mark.parametrize("price", [None, [], {"input": "x"}, {}])
def test_a_call_without_a_known_price_has_no_lines(price):
    assert cost_lines(Attempt(state="billed", prompt_tokens=5, price=price)) == []


def test_a_call_that_was_not_billed_has_no_lines():
    free = Attempt(state="free", prompt_tokens=5, price={"input": 1})
    assert cost_lines(free) == []


def test_who_asked_names_the_key_the_team_and_the_scope():
    keyed = RequestLog(key_name="laptop", team="a", scope="team:a")
    assert who_asked(keyed) == (
        "The key laptop of team a; answers are shared within team:a."
    )
    assert who_asked(RequestLog(scope="local")) == (
        "No key is needed here; its scope is local."
    )


def test_why_not_cheaper_is_told_in_the_order_of_the_decisions():
    log = RequestLog(
        cache="MISS",
        attempts=2,
        decisions=[
            {"step": "cache", "text": "No stored answer is used: tools."},
            {"step": "tier", "text": "Score 80 is above tier 1."},
            {"step": "backend", "text": "opus", "passed_over": ["haiku: Down."]},
            {"step": "failure", "text": "opus: timed out"},
            "a plain sentence",
        ],
    )

    assert why_not_cheaper(log) == [
        "No stored answer is used: tools.",
        "Score 80 is above tier 1.",
        "Passed over: haiku: Down.",
        "opus: timed out",
        "It took 2 calls; failed ones may cost as well.",
    ]


def test_a_hit_cost_nothing_and_odd_decisions_are_no_error():
    assert "from the cache" in why_not_cheaper(RequestLog(cache="HIT"))[0]
    odd = RequestLog(cache="MISS", decisions=[{"step": "backend", "passed_over": 7}])
    assert why_not_cheaper(odd) == []
