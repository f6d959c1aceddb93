"""An entry as JSON, for Redis and the database."""

from dataclasses import asdict

import orjson

from gateway.cache.store import Entry
from routing.chat import Json, Usage


class Unreadable(ValueError):
    """What was stored is damaged, or of a version that we don't know."""


def entry_to_json(entry: Entry) -> Json:
    return {**asdict(entry), "body": entry.body.decode()}


def entry_from_json(value: Json) -> Entry:
    """Raises Unreadable."""
    try:
        body, usage = value["body"].encode(), Usage(**value["usage"])
        # Older versions stored a field more, which said nothing to another process.
        known = {name: each for name, each in value.items() if name != "stored_at"}
        entry = Entry(**{**known, "body": body, "usage": usage})
        whole = isinstance(orjson.loads(body), dict)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Unreadable(str(error)) from error
    if not whole:
        raise Unreadable("The body is no answer.")
    return entry
