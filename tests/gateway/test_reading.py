"""What a reader of a bought answer notes of it, while it comes and at its end."""

import pytest

from gateway.order import Receipt
from gateway.reading import accept_receipt
from gateway.shared_call import Bounds, SharedCall
from routing.chat import Usage
from tests.gateway.ledger.office import Office, backend


@pytest.fixture
def office(tmp_path):
    return Office(tmp_path)


def call_told_after(seconds: float) -> SharedCall:
    call = SharedCall(Bounds())
    call.outcome = Receipt("req", 5, 1, "small", "m", "openai", seconds=seconds)
    return call


def test_the_time_to_the_first_piece_of_a_stream_is_left_out_once(office):
    record = office.request()
    office.clock.now += 0.002
    attempt = office.books.open_attempt(record, backend(), prompt_tokens=1)
    office.clock.now += 2.0
    accept_receipt(call_told_after(2.0), record)
    assert record.overhead_ms == pytest.approx(2.0)
    office.clock.now += 3.0
    attempt.settle_answer(Usage(1, 1))
    record.close(200, "ok")
    assert office.last()["overhead_ms"] == 2.0


def test_waiting_for_a_call_of_another_is_no_overhead(office):
    record = office.request()
    office.clock.now += 0.001
    record.wait()
    office.clock.now += 5.0
    accept_receipt(call_told_after(2.0), record)
    record.abandon()
    assert office.last()["overhead_ms"] == 1.0
