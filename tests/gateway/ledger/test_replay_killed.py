"""A replay that is killed itself: each attempt once, whatever happened."""

import shutil

import pytest
from django.db import OperationalError, connection

from gateway.ledger.replay import replay
from tests.gateway.ledger.leftovers import empty_tables, leave, left_in
from tests.gateway.ledger.samples import attempt, complete, intent, request, rows

pytestmark = pytest.mark.django_db(transaction=True)


STORY = [
    *complete("a"),
    intent("b", 1),
    attempt("b", 1, state="free", cost_nano=0),
    intent("b", 2),
    intent("c", 1),
    request("c", status=499, cost_nano=0),
    intent("d", 1),
    attempt("d", 1),
    *complete("e"),
]


def test_replaying_twice_gives_the_same_rows_and_totals(tmp_path):
    leave(tmp_path / "first", *STORY)
    shutil.copytree(tmp_path / "first", tmp_path / "again")
    replay(tmp_path / "first")
    before = rows()
    replay(tmp_path / "again")
    assert rows() == before
    assert left_in(tmp_path / "again") == []


class Killed(BaseException):
    """Like a kill: no handler of ours sees it."""


class KilledAt:
    def __init__(self, statement):
        self.statement = statement
        self.seen = 0

    def __call__(self, execute, sql, params, many, context):
        self.seen += 1
        if self.seen == self.statement:
            raise Killed
        return execute(sql, params, many, context)


@pytest.mark.parametrize("segment_bytes", [700, 1 << 20])
def test_a_replay_killed_at_any_statement_ends_the_same_when_started_again(
    tmp_path, segment_bytes
):
    leave(tmp_path / "undisturbed", *STORY, segment_bytes=segment_bytes)
    replay(tmp_path / "undisturbed")
    expected = rows()
    statement = 0
    killed = True
    while killed:
        statement += 1
        empty_tables()
        folder = tmp_path / str(statement)
        leave(folder, *STORY, segment_bytes=segment_bytes)
        killed = not completes(folder, statement)
        assert replay(folder) == (9 if killed else 0)
        assert rows() == expected, statement
        assert left_in(folder) == []
    assert statement > 10


def completes(folder, statement):
    try:
        with connection.execute_wrapper(KilledAt(statement)):
            replay(folder)
    except Killed:
        return False
    return True


def test_a_database_that_is_down_keeps_the_journal_for_the_next_start(tmp_path):
    def refuse(execute, sql, params, many, context):
        raise OperationalError("no such server")

    journal = leave(tmp_path, *complete("a"))
    with connection.execute_wrapper(refuse), pytest.raises(OperationalError):
        replay(tmp_path)
    assert left_in(tmp_path) == [f"{journal.name}.000000.journal"]
    assert replay(tmp_path) == 2
