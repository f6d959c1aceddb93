"""Answers in the database, so that a restart doesn't empty the cache.

The ledger's thread writes them, after the books; a start reads them once.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from gateway.cache import AnswerCache, CacheKeys, Entry
from gateway.cache.portable import entry_from_json, entry_to_json
from gateway.cache_rows import StoredAnswer
from routing.catalog import Policy

log = structlog.get_logger("cache")
WAITING = 1000  # answers; when the database is slower than that, the oldest are let go
STEP = 500


@dataclass(frozen=True, slots=True)
class Kept:
    keys: CacheKeys
    entry: Entry
    expires_at: float  # POSIX seconds


class Persistence:
    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._waiting: deque[Kept] = deque(maxlen=WAITING)

    def keep(self, keys: CacheKeys, entry: Entry, policy: Policy) -> None:
        """Note an answer for the next `flush`, when the policy says so."""
        if policy.cache_persist and keys.exact and keys.reuse.store:
            seconds = keys.seconds or policy.cache_ttl_seconds
            self._waiting.append(Kept(keys, entry, self._wall() + seconds))

    def flush(self, policy: Policy) -> None:
        """Write what waits, and delete what has expired or is too much."""
        if not self._waiting:
            return
        kept = [self._waiting.popleft() for _ in range(len(self._waiting))]
        rows = {each.keys.exact: row_of(each) for each in kept}
        StoredAnswer.objects.bulk_create(
            rows.values(),
            batch_size=STEP,
            update_conflicts=True,
            unique_fields=["key"],
            update_fields=["canonical", "scope", "request_id", "entry", "expires_at"],
        )
        StoredAnswer.objects.filter(expires_at__lte=self._wall()).delete()
        newest = StoredAnswer.objects.order_by("-pk").values_list("pk", flat=True)
        for oldest in newest[policy.cache_max_entries : policy.cache_max_entries + 1]:
            StoredAnswer.objects.filter(pk__lte=oldest).delete()


def row_of(kept: Kept) -> StoredAnswer:
    keys = kept.keys
    return StoredAnswer(
        key=(keys.exact or b"").hex(),
        canonical=(keys.canonical or b"").hex(),
        scope=keys.scope,
        request_id=kept.entry.request_id,
        entry=entry_to_json(kept.entry),
        expires_at=kept.expires_at,
    )


def stored_answers(policy: Policy, wall: float) -> list[StoredAnswer]:
    """What may still be reused, as many as fit, the newest last."""
    if not policy.cache_persist:
        return []
    rows = StoredAnswer.objects.filter(expires_at__gt=wall).order_by("-pk")
    return list(rows[: policy.cache_max_entries])[::-1]


def restore(
    rows: list[StoredAnswer], cache: AnswerCache, now: float, wall: float
) -> int:
    """Fill the cache; how many answers came back. One that can't be read is a miss,
    and keeps no server from starting."""
    read = 0
    for row in rows:
        try:
            keys, entry = keys_of(row), entry_from_json(row.entry)
        except ValueError:
            continue
        cache.restore(keys, row.scope, entry, now, row.expires_at - wall)
        read += 1
    if unreadable := len(rows) - read:
        log.warning("stored_answers_unreadable", count=unreadable)
    return read


def keys_of(row: StoredAnswer) -> tuple[bytes, ...]:
    """The exact one first. Raises ValueError."""
    found = (bytes.fromhex(row.key), bytes.fromhex(row.canonical))
    return tuple(key for key in found if key)
