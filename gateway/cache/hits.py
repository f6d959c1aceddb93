"""What a look-up finds: a hit, a proposal for a judge, and the figures of it all."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from gateway.cache.matching import CacheKeys
from gateway.cache.neighbours import Question
from gateway.cache.store import Entry

Level = Literal["exact", "canonical", "alias", "jaccard"]
EQUAL: dict[Level, str] = {
    "exact": "the same request",
    "canonical": "the same question in other words",
    "alias": "a wording that was judged to be the same question",
}


class Hit(NamedTuple):
    """A stored answer, and how it was found: `reason` is a sentence for people, and
    `wording` the canonical key of who asked, when an alias led here. `key` is what it
    lies under in this process, b"" when it came from elsewhere."""

    entry: Entry
    level: Level
    similarity: float
    reason: str
    stale: bool = False
    wording: bytes = b""
    key: bytes = b""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A stored question that may be the same as another one: for a judge to say."""

    entry: Entry
    question: Question
    root: bytes  # its canonical key
    similarity: float


@dataclass(frozen=True, slots=True)
class CacheStats:
    entries: int
    bytes: int
    hits: dict[str, int]
    misses: int
    evictions: int
    expirations: int


def shared_hit(keys: CacheKeys, entry: Entry, level: Level) -> Hit:
    """A hit in what another worker stored."""
    wording = (keys.canonical or b"") if level == "alias" else b""
    reason = f"{EQUAL[level]}, stored by another worker"
    return Hit(entry, level, 1.0, reason, wording=wording)
