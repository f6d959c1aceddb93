"""Entries as JSON, also those that an older version stored."""

import pytest

from gateway.cache.portable import Unreadable, entry_from_json, entry_to_json
from gateway.cache.store import Entry
from routing.chat import Usage

BODY = '{"text":"é"}'.encode()
ENTRY = Entry(BODY, Usage(9, 2), "haiku", "claude", 1, 5, 70, "req-1", at=3.0)


def test_an_entry_comes_back_as_it_was():
    assert entry_from_json(entry_to_json(ENTRY)) == ENTRY


def test_what_an_older_version_stored_is_read():
    assert entry_from_json({**entry_to_json(ENTRY), "stored_at": None}) == ENTRY


STORED = entry_to_json(ENTRY)
DAMAGED = [
    None,
    [],
    "text",
    {},
    {name: each for name, each in STORED.items() if name != "body"},
    {**STORED, "body": 7},
    {**STORED, "body": '{"text":"\u00e9"'},
    {**STORED, "body": "[]"},
    {**STORED, "usage": {"prompt": 1, "of_tomorrow": 1}},
    {**STORED, "a_field_of_tomorrow": 1},
]


@pytest.mark.parametrize("stored", DAMAGED)
def test_d14_what_is_no_entry_of_ours_is_told(stored):
    with pytest.raises(Unreadable):
        entry_from_json(stored)
