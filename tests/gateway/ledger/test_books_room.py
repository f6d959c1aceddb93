"""What is kept of calls for which the journal has no room."""

import pytest

from gateway.errors import StorageFull
from routing.chat import Usage
from tests.gateway.ledger.office import Office, backend


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
