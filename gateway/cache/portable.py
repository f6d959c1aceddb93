"""An entry as JSON, for Redis and the database."""

from dataclasses import asdict

from gateway.cache.store import Entry
from routing.chat import Json, Usage


def entry_to_json(entry: Entry) -> Json:
    return {**asdict(entry), "body": entry.body.decode()}


def entry_from_json(value: Json) -> Entry:
    body, usage = value["body"].encode(), Usage(**value["usage"])
    # Older versions stored a field more, which said nothing to another process.
    known = {name: each for name, each in value.items() if name != "stored_at"}
    return Entry(**{**known, "body": body, "usage": usage})
