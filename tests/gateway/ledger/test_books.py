"""What the pipeline's bookkeeping writes into the journal."""

from gateway.errors import NotFound, UpstreamTimeout
from routing.chat import Usage
from tests.gateway.ledger.office import backend


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


def test_nor_is_a_call_overhead_that_is_under_way_when_the_client_leaves(office):
    record = office.request()
    office.clock.now += 0.002
    office.books.open_attempt(record, backend(), prompt_tokens=1)
    office.clock.now += 5.0
    record.abandon()
    assert office.last()["overhead_ms"] == 2.0
