"""Answers kept in memory: bounded in entries and bytes.

Of the few least recently used the one goes first that saves least: tokens by hits.
Every operation is O(1). An entry answers to several keys (exact, canonical); when it
goes, all of them go.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from random import Random

from routing.chat import Usage
from routing.providers import Dialect

TTL_JITTER = 0.1  # answers stored together don't all expire together
SWEEP = 8  # expired entries removed per put: more than come in, never a long stop
LEAVING = 4  # of so many least recently used, the least worth leaves

# Measured with tracemalloc on CPython 3.11 and rounded up: an entry with its places in
# three dictionaries, and each key with its own place.
ENTRY_OVERHEAD = 1000
KEY_OVERHEAD = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """An answer and what it took to get it. `body` is its JSON as its provider sent it,
    in that provider's `dialect`; `at`, when it was bought, is in POSIX seconds."""

    body: bytes
    usage: Usage
    backend: str
    model: str
    tier: int
    score: int | None
    cost_nano: int | None
    request_id: str
    dialect: Dialect = "openai"
    at: float = 0.0


@dataclass(slots=True, eq=False)
class Slot:
    """Where an entry lives. `keys` shrinks when a newer entry takes one over."""

    id: bytes
    entry: Entry
    scope: str
    keys: set[bytes]
    size: int
    expires_at: float
    hits: int = field(default=0)  # halved now and then: what it was worth lately
    served: int = field(default=0)

    @property
    def worth(self) -> int:
        """What keeping it saved lately."""
        return (self.entry.usage.prompt + self.entry.usage.completion) * self.hits


class AnswerStore:
    """`on_remove` hears of every slot that goes, for whatever reason."""

    def __init__(
        self,
        max_entries: int,
        max_bytes: int,
        ttl_seconds: float,
        random: Random,
        on_remove: Callable[[Slot], None],
    ) -> None:
        self.max_entries = max_entries
        self.max_bytes = max_bytes
        self.ttl_seconds = ttl_seconds
        self.stale_seconds = 0.0  # an expired answer may be had for so long
        self.bytes = 0
        self.evictions = 0
        self.expirations = 0
        self._random = random
        self._on_remove = on_remove
        self._by_key: dict[bytes, Slot] = {}
        self._by_scope: dict[str, set[bytes]] = {}
        self._by_request: dict[str, Slot] = {}  # by the request that bought it
        # Both hold every slot, by id: the least recently used, or the oldest, first.
        self._by_use: OrderedDict[bytes, Slot] = OrderedDict()
        self._by_age: OrderedDict[bytes, Slot] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_use)

    def get(self, key: bytes, now: float) -> Slot | None:
        """What is under this key, given once more."""
        slot = self.peek(key, now)
        if slot is None:
            self.drop_expired((key,), now)
            return None
        self._by_use.move_to_end(slot.id)
        slot.hits += 1
        slot.served += 1
        return slot

    def drop_expired(self, keys: Iterable[bytes | None], now: float) -> None:
        """Remove what can't be had any more under these keys."""
        for key in keys:
            slot = self._by_key.get(key) if key else None
            if slot and slot.expires_at + self.stale_seconds <= now:
                self._expire(slot)

    def peek(self, key: bytes, now: float) -> Slot | None:
        """What may be had under this key, without using it."""
        slot = self._by_key.get(key)
        return slot if slot and now < slot.expires_at + self.stale_seconds else None

    def add_key(self, known: bytes, new: bytes) -> None:
        """What is found under one key is found under another one as well."""
        slot = self._by_key.get(known)
        if slot is None or new in slot.keys:
            return
        if former := self._by_key.get(new):
            former.keys.discard(new)
        slot.keys.add(new)
        self._by_key[new] = slot
        slot.size += KEY_OVERHEAD
        self.bytes += KEY_OVERHEAD

    def put(
        self,
        keys: tuple[bytes, ...],
        scope: str,
        entry: Entry,
        now: float,
        index_bytes: int = 0,
        seconds: float | None = None,
    ) -> bool:
        """Keep an entry under all its keys, the first being its id. An older entry
        under that id is replaced; `index_bytes` is what else is kept for it, `seconds`
        what is left of its lifetime when that began elsewhere."""
        size = (
            ENTRY_OVERHEAD
            + KEY_OVERHEAD * len(keys)
            + len(entry.body)
            + len(scope)
            + index_bytes
        )
        if size > self.max_bytes:
            return False
        if older := self._by_use.get(keys[0]):
            self._remove(older)
        self._remove_expired(now)
        if seconds is None:
            jitter = self._random.uniform(1 - TTL_JITTER, 1 + TTL_JITTER)
            seconds = self.ttl_seconds * jitter
        self._insert(Slot(keys[0], entry, scope, set(keys), size, now + seconds))
        self._evict()
        return True

    def resize(
        self,
        max_entries: int,
        max_bytes: int,
        ttl_seconds: float,
        stale_seconds: float = 0.0,
    ) -> None:
        """New bounds at once, a new lifetime for what is stored from now on."""
        self.stale_seconds = stale_seconds
        self.max_entries = max_entries
        self.max_bytes = max_bytes
        self.ttl_seconds = ttl_seconds
        self._evict()

    def purge(self, scope: str | None = None) -> int:
        """Forget one scope's entries, or all; how many they were."""
        ids = list(self._by_use if scope is None else self._by_scope.get(scope, ()))
        for id in ids:
            self._remove(self._by_use[id])
        return len(ids)

    def slots(self) -> list[Slot]:
        """All of them, the least recently used first."""
        return list(self._by_use.values())

    def remove_if(self, unwanted: Callable[[Slot], bool]) -> int:
        """How many went."""
        leaving = [slot for slot in self._by_use.values() if unwanted(slot)]
        for slot in leaving:
            self._remove(slot)
        return len(leaving)

    def forget(self, scope: str, request_id: str) -> bool:
        """Remove the answer this request bought, with all its keys."""
        slot = self._by_request.get(request_id)
        if slot is None or slot.scope != scope:
            return False
        self._remove(slot)
        return True

    def _insert(self, slot: Slot) -> None:
        for key in slot.keys:
            if former := self._by_key.get(key):
                former.keys.discard(key)
            self._by_key[key] = slot
        self._by_scope.setdefault(slot.scope, set()).add(slot.id)
        self._by_request[slot.entry.request_id] = slot
        self._by_use[slot.id] = slot
        self._by_age[slot.id] = slot
        self.bytes += slot.size

    def _remove(self, slot: Slot) -> None:
        for key in slot.keys:
            del self._by_key[key]
        ids = self._by_scope[slot.scope]
        ids.discard(slot.id)
        if not ids:
            del self._by_scope[slot.scope]
        if self._by_request.get(slot.entry.request_id) is slot:
            del self._by_request[slot.entry.request_id]
        del self._by_use[slot.id]
        del self._by_age[slot.id]
        self.bytes -= slot.size
        self._on_remove(slot)

    def _remove_expired(self, now: float) -> None:
        # Jitter can hide an expired entry behind an older one for a fifth of the TTL;
        # it is never served meanwhile.
        for _ in range(min(SWEEP, len(self))):
            oldest = next(iter(self._by_age.values()))
            if oldest.expires_at + self.stale_seconds > now:
                return
            self._expire(oldest)

    def _expire(self, slot: Slot) -> None:
        self._remove(slot)
        self.expirations += 1

    def _evict(self) -> None:
        while len(self) > self.max_entries or self.bytes > self.max_bytes:
            # The newest had no time to prove itself.
            count = max(1, min(LEAVING, len(self) - 1))
            candidates = list(islice(self._by_use.values(), count))
            leaving = min(candidates, key=lambda slot: slot.worth)
            for slot in candidates:
                slot.hits //= 2  # who stays for its hits needs new ones
            self._remove(leaving)
            self.evictions += 1
