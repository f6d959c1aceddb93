"""Answers that were kept in the database come back at the start, if they can."""

from random import Random

import pytest

from gateway.cache import AnswerCache
from gateway.cache.portable import entry_to_json
from gateway.cache.store import Entry
from gateway.models import StoredAnswer
from gateway.runtime.persistence import restore
from routing.catalog import Policy
from routing.chat import Usage

ENTRY = entry_to_json(Entry(b"{}", Usage(9, 2), "haiku", "claude", 1, 5, 70, "req-1"))


def row(number: int, **fields: object) -> StoredAnswer:
    given = {"key": f"{number:064x}", "entry": ENTRY, "expires_at": 160.0, **fields}
    return StoredAnswer(scope="s", **given)


@pytest.mark.parametrize(
    "damage",
    [{"entry": {}}, {"entry": {**ENTRY, "new": 1}}, {"key": "no digits"}],
    ids=["empty", "of a later version", "its key"],
)
def test_d14_a_damaged_one_is_left_out_and_the_others_come_back(damage, capsys):
    cache = AnswerCache(Policy(), Random(1))

    read = restore([row(1), row(2, **damage), row(3)], cache, now=0.0, wall=100.0)

    assert (read, cache.stats().entries) == (2, 2)
    assert "stored_answers_unreadable" in capsys.readouterr().out
