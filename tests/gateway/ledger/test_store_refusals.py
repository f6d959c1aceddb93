"""Journal records that the database refuses, and a database that fails."""

from contextlib import contextmanager

import pytest
from django.db import OperationalError, connection

from gateway.models import Attempt, RequestLog, UsageTotal
from tests.gateway.ledger.samples import (
    attempt,
    request,
    rows,
    sums_of_rows,
    totals,
)
from tests.gateway.ledger.storing import save

pytestmark = pytest.mark.django_db(transaction=True)
POISON = [
    pytest.param({"at": "yesterday"}, id="a date that is none"),
    pytest.param({"at": None}, id="no date"),
    pytest.param({"scope": None}, id="no scope"),
    pytest.param({"prompt_tokens": 2**63}, id="a number too large"),
    pytest.param({"prompt_tokens": "many"}, id="a word for a number"),
]


@pytest.mark.parametrize("fault", POISON)
def test_one_bad_record_costs_its_neighbours_nothing(fault):
    bad_request, bad_attempt = request("bad", **fault), attempt("bad", **fault)
    rejected = save(
        [request("a"), bad_request, request("b")],
        [attempt("a"), bad_attempt, attempt("b")],
    )
    assert rejected == [bad_request, bad_attempt]
    assert set(RequestLog.objects.values_list("request_id", flat=True)) == {"a", "b"}
    assert set(Attempt.objects.values_list("request_id", flat=True)) == {"a", "b"}
    assert totals() == sums_of_rows()


@pytest.mark.parametrize("missing", ["attempt_id", "request_id", "at", "state"])
def test_a_record_without_what_it_must_have_is_rejected(missing):
    bad = {k: v for k, v in attempt("bad").items() if k != missing}
    assert save([], [bad, attempt("good")]) == [bad]
    assert Attempt.objects.get().request_id == "good"


def test_nul_is_stored_as_a_sign_that_every_database_takes():
    hostile = {"model_asked": "a\x00b", "scope": "team:\x00", "backend": "\x00"}
    decisions = [{"step": "end", "text": "No model a\x00b.", "others": [["\x00", 1]]}]
    rejected = save(
        [request("a", decisions=decisions, **hostile)], [attempt("a", **hostile)]
    )
    assert rejected == []
    row = RequestLog.objects.get()
    assert (row.model_asked, row.scope) == ("a\ufffdb", "team:\ufffd")
    assert row.decisions[0]["text"] == "No model a\ufffdb."
    assert row.decisions[0]["others"] == [["\ufffd", 1]]
    assert UsageTotal.objects.get().scope == "team:\ufffd"


def test_text_that_is_too_long_is_cut_to_its_column():
    long = {"model_asked": "m" * 5000, "scope": "s" * 5000, "backend": "b" * 5000}
    assert save([request("r" * 500, **long)], [attempt("r" * 500, **long)]) == []
    row = RequestLog.objects.get()
    assert (len(row.model_asked), len(row.scope), len(row.backend)) == (200, 160, 128)
    assert len(row.request_id) == len(Attempt.objects.get().attempt_id) == 64
    assert UsageTotal.objects.get().scope == "s" * 160


def test_long_ids_are_recognised_when_they_come_again():
    record = request("r" * 500)
    save([record])
    assert save([record], may_exist=True) == []
    assert totals()["requests"] == 1


class Broken:
    """Fails at the statement with this number, as a lost connection would."""

    def __init__(self, fails_at):
        self.fails_at = fails_at
        self.seen = 0

    def __call__(self, execute, sql, params, many, context):
        self.seen += 1
        if self.seen == self.fails_at:
            raise OperationalError("the connection was lost")
        return execute(sql, params, many, context)


@contextmanager
def failing_at(statement):
    broken = Broken(statement)
    with connection.execute_wrapper(broken):
        yield broken


@pytest.mark.parametrize("may_exist", [True, False])
def test_a_failure_at_any_statement_stores_nothing_and_a_retry_everything(may_exist):
    requests = [request("a"), request("b", cache="HIT")]
    attempts = [attempt("a"), attempt("b", late=True)]
    statement = 0
    while True:
        statement += 1
        for model in (RequestLog, Attempt, UsageTotal):
            model.objects.all().delete()
        try:
            with failing_at(statement) as broken:
                save(requests, attempts, may_exist=may_exist)
        except OperationalError:
            assert rows() == {"requests": [], "attempts": [], "totals": []}
            save(requests, attempts, may_exist=may_exist)
        assert RequestLog.objects.count() == Attempt.objects.count() == 2
        assert totals() == sums_of_rows()
        if broken.seen < statement:
            break
    assert statement >= 6  # each was made to fail once
