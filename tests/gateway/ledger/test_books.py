"""What the pipeline's bookkeeping writes into the journal."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import (
    BadUpstreamResponse,
    NotFound,
    StorageFull,
    UpstreamIncomplete,
    UpstreamRateLimited,
    UpstreamServerError,
    UpstreamTimeout,
)
from gateway.ledger.books import Books, Caller, saving
from gateway.ledger.journal import Journal, decode
from gateway.metrics import Metrics
from routing.catalog import Backend, Catalog, PriceList, Tier
from routing.chat import ChatRequest, Usage

DOLLAR = 1_000_000_000  # nano-USD
HAIKU = PriceList(1 * DOLLAR, 5 * DOLLAR, DOLLAR // 10, DOLLAR * 5 // 4)
OPUS = PriceList(15 * DOLLAR, 75 * DOLLAR, DOLLAR * 3 // 2, DOLLAR * 75 // 4)


class Clock:
    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


class Office:
    """Books with clocks that stand still, and a look into their journal."""

    def __init__(self, folder, max_bytes=1 << 20, serve_when_full=False):
        self.folder = folder
        self.clock = Clock(100.0)
        self.journal = Journal(folder, max_bytes)
        self.books = Books(
            self.journal,
            Metrics(),
            self.clock,
            Clock(1_700_000_000.0),
            serve_when_full=serve_when_full,
        )

    def request(self, request_id="req", **caller):
        chat = ChatRequest({"messages": []}, "team:a", request_id, model="opus")
        return self.books.open_request(chat, Caller("team:a", "laptop", "a", **caller))

    def records(self):
        path = self.journal.path(0)
        return [decode(line) for line in path.read_bytes().splitlines()]

    def last(self):
        return self.records()[-1]


@pytest.fixture
def office(tmp_path):
    office = Office(tmp_path)
    yield office
    office.journal.close()


def backend(price=HAIKU, name="haiku", tier=1):
    return Backend(
        name=name, tier=tier, provider="anthropic", model="claude", price=price
    )


def test_the_intent_is_in_the_journal_before_anything_is_sent(office):
    attempt = office.books.open_attempt(office.request(), backend(), prompt_tokens=1000)
    assert office.records() == [attempt.intent]
    assert attempt.intent == {
        "t": "intent",
        "attempt_id": "req-1",
        "request_id": "req",
        "at": "2023-11-14T22:13:20.000000+00:00",
        "number": 1,
        "scope": "team:a",
        "key_id": 0,
        "key_name": "laptop",
        "team": "a",
        "endpoint": "chat.completions",
        "dialect": "openai",
        "stream": False,
        "model_asked": "opus",
        "score": None,
        "backend": "haiku",
        "provider": "anthropic",
        "model": "claude",
        "tier": 1,
        "price": {
            "input": 1_000_000_000,
            "output": 5_000_000_000,
            "cache_read": 100_000_000,
            "cache_write": 1_250_000_000,
            "cache_write_1h": 2_000_000_000,
        },
        "prompt_tokens": 1000,
        "cost_nano": 1_000_000,
    }


def test_a_settled_attempt_carries_what_it_cost_and_how_long_it_took(office):
    record = office.request()
    attempt = office.books.open_attempt(record, backend(), prompt_tokens=10)
    office.clock.now += 0.25
    attempt.mark_first_byte()
    office.clock.now += 0.75
    attempt.mark_first_byte()
    attempt.settle_answer(Usage(1000, 100, cached=400, cache_write=200, reasoning=30))
    row = office.last()
    assert (row["t"], row["attempt_id"], row["state"]) == ("attempt", "req-1", "billed")
    assert (row["prompt_tokens"], row["completion_tokens"]) == (1000, 100)
    assert (row["cached_tokens"], row["cache_write_tokens"]) == (400, 200)
    assert row["reasoning_tokens"] == 30
    # 400 plain + 400 read at a tenth + 200 written at 5/4 + 100 answered at 5.
    assert row["cost_nano"] == 400_000 + 40_000 + 250_000 + 500_000
    assert (row["first_byte_ms"], row["latency_ms"]) == (250.0, 1000.0)
    assert row["status"] == 200
    assert row["late"] is False
    assert record.cost_nano == row["cost_nano"]


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


def test_estimated_usage_is_marked_as_such(office):
    attempt = office.books.open_attempt(office.request(), backend(), prompt_tokens=1)
    attempt.settle_answer(Usage(1000, 10, estimated=True))
    assert office.last()["state"] == "estimated"


def test_an_attempt_is_settled_once_and_the_first_settlement_counts(office):
    record = office.request()
    attempt = office.books.open_attempt(record, backend(), prompt_tokens=1)
    attempt.settle_answer(Usage(1000, 0))
    attempt.settle("estimated", Usage(9000, 0), status=499)
    attempt.settle_failure(UpstreamTimeout("late"), Usage(9000))
    assert [row["t"] for row in office.records()] == ["intent", "attempt"]
    assert record.cost_nano == 1_000_000


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


def test_an_attempt_settled_after_its_request_ended_is_marked_late(office):
    record = office.request()
    attempt = office.books.open_attempt(record, backend(), prompt_tokens=1)
    record.close(499, "client_closed")
    attempt.settle("estimated", Usage(1000, 0), status=499)
    assert office.last()["late"] is True
    assert office.last()["cost_nano"] == 1_000_000


def test_a_request_is_written_once_and_the_first_ending_counts(office):
    record = office.request()
    office.clock.now += 2.0
    record.mark_first_byte()
    office.clock.now += 1.0
    record.close(499, "client_closed")
    record.close(200, "ok")
    record.fail(NotFound("gone"))
    [row] = office.records()
    assert (row["t"], row["status"], row["outcome"]) == (
        "request",
        499,
        "client_closed",
    )
    assert (row["first_byte_ms"], row["latency_ms"]) == (2000.0, 3000.0)


def test_a_failed_request_says_why(office):
    record = office.request()
    record.decide("tier", "Tier 1 is enough.", score=12)
    record.fail(NotFound("No such thing."))
    row = office.last()
    assert (row["status"], row["outcome"], row["error_code"]) == (
        404,
        "error",
        "not_found",
    )
    assert row["decisions"] == [
        {"step": "tier", "text": "Tier 1 is enough.", "score": 12},
        {"step": "end", "text": "No such thing.", "code": "not_found"},
    ]


def test_overhead_leaves_out_the_time_that_providers_took(office):
    record = office.request()
    office.clock.now += 0.002
    attempt = office.books.open_attempt(record, backend(), prompt_tokens=1)
    office.clock.now += 5.0
    attempt.settle_answer(Usage(1, 1))
    office.clock.now += 0.001
    record.close(200, "ok")
    assert office.last()["overhead_ms"] == 3.0
    assert office.last()["latency_ms"] == 5003.0


# --- no room --------------------------------------------------------------------------


def test_no_room_for_the_intent_means_no_attempt(tmp_path):
    office = Office(tmp_path, max_bytes=100)
    record = office.request()
    with pytest.raises(StorageFull):
        office.books.open_attempt(record, backend(), prompt_tokens=1)
    assert record.attempts == 0
    assert office.records() == []
    office.journal.close()


def test_requests_refused_for_want_of_room_do_not_pile_up_anywhere(tmp_path):
    office = Office(tmp_path, max_bytes=100)
    for number in range(50):
        record = office.request(f"req-{number}")
        with pytest.raises(StorageFull) as error:
            office.books.open_attempt(record, backend(), prompt_tokens=1)
        record.fail(error.value)
    assert office.records() == []
    assert office.journal.waiting == 0
    assert office.books.unrecorded == 50
    office.journal.close()


def test_calls_under_way_when_the_room_ends_are_recorded_to_the_last(tmp_path):
    office = Office(tmp_path)
    record = office.request()
    attempt = office.books.open_attempt(record, backend(), prompt_tokens=1)
    office.journal.max_bytes = office.journal.kept_bytes
    attempt.settle_answer(Usage(1000, 0))
    record.close(200, "ok")
    assert [row["t"] for row in office.records()] == ["intent", "attempt", "request"]
    assert office.books.unrecorded == 0
    office.journal.close()


def test_a_deployment_may_prefer_to_serve_without_room(tmp_path):
    office = Office(tmp_path, max_bytes=100, serve_when_full=True)
    record = office.request()
    attempt = office.books.open_attempt(record, backend(), prompt_tokens=1)
    assert office.books.unrecorded == 1
    attempt.settle_answer(Usage(1000, 0))
    record.close(200, "ok")
    assert [row["t"] for row in office.records()] == ["attempt", "request"]
    office.journal.close()


# --- savings --------------------------------------------------------------------------


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
