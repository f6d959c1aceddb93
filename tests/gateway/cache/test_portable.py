"""Entries as JSON, also those that an older version stored."""

from gateway.cache.portable import entry_from_json, entry_to_json
from gateway.cache.store import Entry
from routing.chat import Usage

ENTRY = Entry("é".encode(), Usage(9, 2), "haiku", "claude", 1, 5, 70, "req-1", at=3.0)


def test_an_entry_comes_back_as_it_was():
    assert entry_from_json(entry_to_json(ENTRY)) == ENTRY


def test_what_an_older_version_stored_is_read():
    assert entry_from_json({**entry_to_json(ENTRY), "stored_at": None}) == ENTRY
