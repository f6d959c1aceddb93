"""`manage.py cache_match --input PAIRS.jsonl`: which prompts would share an answer."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gateway.cache import AnswerCache, CacheKeys, Entry, Hit
from routing.catalog import Catalog, Policy
from routing.chat import ChatRequest, Usage

FOREVER = 1e9  # seconds
UNKNOWN = "no stored question means this"
NO_TEXT = "no request can carry half of a surrogate pair"
MODES = ("exact", "canonical", "jaccard")


class Command(BaseCommand):
    help = (
        "Store the answer to `a` of each pair, look up `b`, and print whether it would "
        "be served. With --crowd all of them are stored first, in one scope."
    )
    requires_system_checks: Any = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--input", type=Path, required=True, help='JSON lines of {"id", "a", "b"}'
        )
        parser.add_argument(
            "--crowd", action="store_true", help='print {"id", "hit_id"}'
        )
        parser.add_argument("--matching", choices=MODES, default="canonical")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["input"]
        policy = Policy(
            cache_matching=options["matching"],
            cache_ttl_seconds=FOREVER,
            cache_max_entries=1 << 40,
            cache_max_bytes=1 << 50,
        )
        try:
            pairs = list(read(path))
        except OSError as error:
            raise CommandError(f"{path} can't be read: {error.strerror}.") from None
        except ValueError as error:
            raise CommandError(f"{path}: {error}") from None
        lines = (
            in_crowd(pairs, policy) if options["crowd"] else one_by_one(pairs, policy)
        )
        for line in lines:
            # In ASCII, which any terminal and pipe takes whatever an id is made of.
            self.stdout.write(json.dumps(line))


@dataclass(frozen=True, slots=True)
class Pair:
    id: str | int
    a: str
    b: str


def read(path: Path) -> Iterator[Pair]:
    """Raises ValueError, telling the line, and OSError."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                try:
                    yield pair_of(json.loads(line))
                except (ValueError, RecursionError) as error:
                    raise ValueError(f"Line {number}: {error}") from None


def pair_of(record: Any) -> Pair:
    if not isinstance(record, dict):
        raise ValueError('it must be an object such as {"id": 1, "a": "", "b": ""}.')
    for name in ("a", "b"):
        if not isinstance(record.get(name), str):
            raise ValueError(f'"{name}" must be a text.')
    identity = record.get("id")
    if isinstance(identity, bool) or not isinstance(identity, str | int):
        raise ValueError('"id" must be a text or a whole number.')
    return Pair(identity, record["a"], record["b"])


def one_by_one(pairs: list[Pair], policy: Policy) -> Iterator[dict[str, Any]]:
    """Each pair with a cache of its own."""
    for pair in pairs:
        trial = Trial(policy)
        if not (is_text(pair.a) and is_text(pair.b)):
            yield {"id": pair.id, "hit": False, "level": None, "reason": NO_TEXT}
            continue
        trial.store("a", pair.a)
        keys, hit = trial.find(pair.b)
        reason = hit.reason if hit else keys.reason or UNKNOWN
        level = hit.level if hit else None
        yield {"id": pair.id, "hit": bool(hit), "level": level, "reason": reason}


def in_crowd(pairs: list[Pair], policy: Policy) -> Iterator[dict[str, Any]]:
    """All the `a` in one cache; of equal ones the last one's answer is served."""
    trial = Trial(policy)
    ids: dict[str, str | int] = {}
    for number, pair in enumerate(pairs):
        ids[str(number)] = pair.id
        if is_text(pair.a):
            trial.store(str(number), pair.a)
    for pair in pairs:
        hit = trial.find(pair.b)[1] if is_text(pair.b) else None
        yield {"id": pair.id, "hit_id": ids[hit.entry.request_id] if hit else None}


def is_text(text: str) -> bool:
    """False for half of a surrogate pair, which no request can carry."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Trial:
    """The gateway's own cache, as a request without any parameter meets it."""

    def __init__(self, policy: Policy) -> None:
        self._catalog = Catalog(policy=policy)
        self._cache = AnswerCache(policy, Random(0))  # noqa: S311 - spreads expiry

    def find(
        self, text: str, *, no_cache: bool = False
    ) -> tuple[CacheKeys, Hit | None]:
        body = {"messages": [{"role": "user", "content": text}]}
        chat = ChatRequest(body, "cache_match", "", no_cache=no_cache)
        return self._cache.find(chat, self._catalog, b"", 0)

    def store(self, name: str, text: str) -> None:
        # Looking nothing up: what is known exactly isn't asked for its meaning.
        keys, _ = self.find(text, no_cache=True)
        entry = Entry(b"{}", Usage(), "", "", 1, None, None, name)
        self._cache.store(keys, entry, 0.0)
