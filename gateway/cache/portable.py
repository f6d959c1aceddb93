"""An entry as JSON, for Redis and the database."""

from dataclasses import asdict

from gateway.cache.store import Entry
from routing.chat import Json, Usage


def entry_to_json(entry: Entry) -> Json:
    # `stored_at` is on the clock of one process and says nothing to another.
    return {**asdict(entry), "body": entry.body.decode(), "stored_at": None}


def entry_from_json(value: Json, now: float) -> Entry:
    body, usage = value["body"].encode(), Usage(**value["usage"])
    return Entry(**{**value, "body": body, "usage": usage, "stored_at": now})
