"""What a call cost, and what an answer saved."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import (
    BadUpstreamResponse,
    UpstreamIncomplete,
    UpstreamRateLimited,
    UpstreamServerError,
    UpstreamTimeout,
)
from gateway.ledger.books import saving
from routing.catalog import Catalog, PriceList, Tier
from routing.chat import Usage
from tests.gateway.ledger.office import HAIKU, OPUS, Office, backend


@pytest.mark.parametrize(
    ("error", "usage", "state", "cost", "status"),
    [
        (UpstreamServerError("500"), Usage(), "free", 0, 502),
        (UpstreamRateLimited("429"), Usage(), "free", 0, 429),
        (UpstreamTimeout("late"), Usage(1000), "unknown", 1_000_000, 504),
        (BadUpstreamResponse("html"), Usage(1000), "unknown", 1_000_000, 502),
        (UpstreamIncomplete("cut"), Usage(1000, 10), "estimated", 1_050_000, 502),
        (UpstreamServerError("late"), Usage(1000, 10), "estimated", 1_050_000, 502),
    ],
)
def test_a_failed_attempt_costs_what_may_be_billed(
    office, error, usage, state, cost, status
):
    attempt = office.books.open_attempt(office.request(), backend(), prompt_tokens=1000)
    attempt.settle_failure(error, usage)
    row = office.last()
    assert (row["state"], row["cost_nano"], row["status"]) == (state, cost, status)
    assert row["error_code"] == error.code
    assert row["prompt_tokens"] == (0 if state == "free" else 1000)


def test_attempts_of_one_request_are_numbered_and_their_costs_add_up(office):
    record = office.request()
    for name, price in (("haiku", HAIKU), ("opus", OPUS)):
        attempt = office.books.open_attempt(record, backend(price, name), 1)
        attempt.settle_answer(Usage(1000, 0))
    record.close(200, "ok")
    attempts = [row for row in office.records() if row["t"] == "attempt"]
    assert [row["attempt_id"] for row in attempts] == ["req-1", "req-2"]
    assert [row["cost_nano"] for row in attempts] == [1_000_000, 15_000_000]
    assert office.last()["cost_nano"] == 16_000_000
    assert office.last()["attempts"] == 2


def test_a_backend_without_a_price_costs_nothing_and_says_so(office):
    attempt = office.books.open_attempt(office.request(), backend(None), 1000)
    attempt.settle_answer(Usage(1000, 100))
    assert office.last()["price"] is None
    assert office.last()["cost_nano"] == 0


CATALOG = Catalog(
    (Tier(1, "small", 50), Tier(2, "large")),
    (backend(), backend(OPUS, "opus", 2)),
)


def test_a_saving_is_the_baselines_price_less_what_was_paid():
    # 1000 at 15 dollars a million, less 1000 at one dollar a million.
    assert saving(Usage(1000, 0), 1_000_000, CATALOG) == 14_000_000
    assert saving(Usage(1000, 0), 0, CATALOG) == 15_000_000


def test_an_answer_dearer_than_the_baseline_saves_less_than_nothing():
    assert saving(Usage(1000, 0), 20_000_000, CATALOG) == -5_000_000


def test_what_is_written_for_an_hour_has_its_own_count(office):
    record = office.request()
    attempt = office.books.open_attempt(record, backend(HAIKU), 10)
    attempt.settle_answer(Usage(300, 0, cache_write=200, cache_write_1h=150))
    row = office.last()

    assert (row["cache_write_tokens"], row["cache_write_1h_tokens"]) == (200, 150)
    assert row["cost_nano"] == 100 * 1000 + 50 * 1250 + 150 * 2000


def test_the_price_that_is_kept_is_the_one_of_this_long_prompt(office):
    record = office.request()
    stepped = replace(HAIKU, longer=((1000, OPUS),))
    attempt = office.books.open_attempt(record, backend(stepped), 10)
    attempt.settle_answer(Usage(2000, 1))

    intent, settled = office.records()
    assert intent["price"]["input"] == HAIKU.input
    assert settled["price"]["input"] == OPUS.input
    assert settled["cost_nano"] == 2000 * 15_000 + 75_000


@pytest.mark.parametrize(
    ("price", "answered", "unpriced"),
    [(HAIKU, True, False), (None, True, True), (None, False, False)],
)
def test_a_request_knows_that_something_without_a_price_was_bought(
    office, price, answered, unpriced
):
    record = office.request()
    attempt = office.books.open_attempt(record, backend(price), 10)
    if answered:
        attempt.settle_answer(Usage(10, 1))
    else:
        attempt.settle_failure(UpstreamRateLimited("Later."), Usage())

    assert record.unpriced is unpriced


def test_without_a_priced_baseline_nothing_is_claimed():
    unpriced = Catalog((Tier(1, "only"),), (backend(None),))
    assert saving(Usage(1000, 0), 0, unpriced) == 0


TOKENS = st.integers(0, 10**9)


PRICE = st.integers(0, 10**11)


@given(
    st.lists(st.builds(Usage, TOKENS, TOKENS, TOKENS, TOKENS), min_size=1, max_size=8),
    st.builds(PriceList, PRICE, PRICE, PRICE, PRICE),
)
@settings(max_examples=50)
def test_a_requests_cost_is_exactly_the_sum_of_its_attempts(
    tmp_path_factory, usages, p
):
    office = Office(tmp_path_factory.mktemp("books"))
    record = office.request()
    for usage in usages:
        attempt = office.books.open_attempt(record, backend(p), usage.prompt)
        attempt.settle_answer(usage)
    record.close(200, "ok")
    rows = office.records()
    costs = [row["cost_nano"] for row in rows if row["t"] == "attempt"]
    assert rows[-1]["cost_nano"] == sum(costs)
    office.journal.close()
