"""The answer cache: by equality first, by guarded similarity when the policy says so.

Isolation is by construction: every key and every partition of the index contains the
scope, so there is nothing of another scope to be found.
"""

from collections import Counter
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from gateway.cache.canonical import frame, refusal
from gateway.cache.jaccard import JaccardIndex, WordSet, word_set_of
from gateway.cache.key import canonical_key, exact_key, rest_key, sharing_key
from gateway.cache.policy import Reuse, decide, question
from gateway.cache.store import AnswerStore, Entry
from routing.catalog import Catalog, Policy
from routing.chat import ChatRequest

Level = Literal["exact", "canonical", "jaccard"]
EQUAL = {"exact": "the same request", "canonical": "the same question in other words"}


@dataclass(frozen=True, slots=True)
class CacheKeys:
    """Everything a request may match by; None where it may not.

    `reason` is the rule that took a level away, "" when none did. `rest` is all of the
    request but the text of its question; `words` and `similarity` act within it.
    `seconds` is how long the client wants its answer kept, None as the policy says.
    """

    scope: str
    reuse: Reuse
    reason: str = ""
    exact: bytes | None = None
    sharing: bytes | None = None
    rest: bytes | None = None
    canonical: bytes | None = None
    words: WordSet | None = None
    similarity: float = 1.0
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A stored answer, and how it was found: `reason` is a sentence for people."""

    entry: Entry
    level: Level
    similarity: float
    reason: str
    stale: bool = False


@dataclass(frozen=True, slots=True)
class CacheStats:
    entries: int
    bytes: int
    hits: dict[str, int]
    misses: int
    evictions: int
    expirations: int


class AnswerCache:
    def __init__(self, policy: Policy, random: Random) -> None:
        self._index = JaccardIndex()
        self._store = AnswerStore(
            policy.cache_max_entries,
            policy.cache_max_bytes,
            policy.cache_ttl_seconds,
            random,
            on_remove=self._index.remove,
        )
        self._hits: Counter[str] = Counter()
        self._misses = 0

    def find(
        self, chat: ChatRequest, catalog: Catalog, fingerprint: bytes, now: float
    ) -> tuple[CacheKeys, Hit | None]:
        """The exact request's answer, else one to the same question.

        The keys tell what the request may match and are what its own answer is
        stored under. What it means is only worked out when it isn't known exactly.
        """
        keys, hit = self.look(chat, catalog, fingerprint, now)
        if hit is not None:
            self._hits[hit.level] += 1
        elif keys.exact is not None and keys.reuse.lookup:
            self._misses += 1
        return keys, hit

    def look(
        self, chat: ChatRequest, catalog: Catalog, fingerprint: bytes, now: float
    ) -> tuple[CacheKeys, Hit | None]:
        """What `find` would find, without counting it."""
        keys = keys_of(chat, catalog, fingerprint)
        if hit := self._exact(keys, now):
            return keys, hit
        if keys.reuse.semantic:
            keys = with_meaning(keys, chat, catalog.policy, fingerprint)
        return keys, self._semantic(keys, now)

    def store(
        self,
        keys: CacheKeys,
        entry: Entry,
        now: float,
        seconds: float | None = None,
    ) -> bool:
        """Keep an answer for these keys, for `seconds` or as long as its request and
        the policy say; whether it was kept."""
        if keys.exact is None or not keys.reuse.store:
            return False
        if seconds is None:
            seconds = keys.seconds
        aliases = (keys.canonical,) if keys.canonical else ()
        index_bytes = keys.words.index_bytes if keys.words else 0
        kept = self._store.put(
            (keys.exact, *aliases), keys.scope, entry, now, index_bytes, seconds
        )
        if kept and keys.words and keys.rest:
            self._index.add(keys.rest, keys.exact, keys.words)
        return kept

    def peek(
        self, chat: ChatRequest, catalog: Catalog, fingerprint: bytes, now: float
    ) -> Entry | None:
        """The stored answer to exactly this request, without counting a hit."""
        keys = keys_of(chat, catalog, fingerprint)
        if keys.exact is None or not keys.reuse.lookup:
            return None
        slot = self._store.get(keys.exact, now)
        return slot.entry if slot else None

    def take_over(
        self, keys: CacheKeys, entry: Entry, level: Level, now: float, seconds: float
    ) -> Hit:
        """Another worker had stored what `find` missed: a hit, and here from now on."""
        self.store(keys, entry, now, seconds)
        self._hits[level] += 1
        self._misses -= 1
        return Hit(entry, level, 1.0, f"{EQUAL[level]}, stored by another worker")

    def restore(
        self,
        keys: tuple[bytes, ...],
        scope: str,
        entry: Entry,
        now: float,
        seconds: float,
    ) -> None:
        """Take in an answer that was kept elsewhere for its remaining `seconds`."""
        self._store.put(keys, scope, entry, now, seconds=seconds)

    def purge(self, scope: str | None = None) -> int:
        """Forget the answers of one scope, or all; how many they were."""
        return self._store.purge(scope)

    def forget(self, scope: str, request_id: str) -> bool:
        """Remove the answer this request bought; whether it was here."""
        return self._store.forget(scope, request_id)

    def configure(self, policy: Policy) -> None:
        """Take over the bounds of a new policy at once."""
        self._store.resize(
            policy.cache_max_entries,
            policy.cache_max_bytes,
            policy.cache_ttl_seconds,
            policy.cache_stale_seconds,
        )

    def stats(self) -> CacheStats:
        return CacheStats(
            entries=len(self._store),
            bytes=self._store.bytes,
            hits=dict(self._hits),
            misses=self._misses,
            evictions=self._store.evictions,
            expirations=self._store.expirations,
        )

    def _exact(self, keys: CacheKeys, now: float) -> Hit | None:
        if keys.exact is None or not keys.reuse.lookup:
            return None
        return self._equal(keys.exact, "exact", now)

    def _semantic(self, keys: CacheKeys, now: float) -> Hit | None:
        if keys.exact is None or not keys.reuse.lookup:
            return None
        return self._equal(keys.canonical, "canonical", now) or self._similar(keys, now)

    def _equal(self, key: bytes | None, level: Level, now: float) -> Hit | None:
        slot = self._store.get(key, now) if key else None
        if slot is None:
            return None
        return Hit(slot.entry, level, 1.0, EQUAL[level], slot.expires_at <= now)

    def _similar(self, keys: CacheKeys, now: float) -> Hit | None:
        if keys.words is None or keys.rest is None:
            return None
        while found := self._index.find(keys.rest, keys.words, keys.similarity):
            id, similarity = found
            if slot := self._store.get(id, now):
                reason = f"word sets {similarity:.2f} alike"
                stale = slot.expires_at <= now
                return Hit(slot.entry, "jaccard", similarity, reason, stale)
            self._index.remove(id)  # it had expired
        return None


def keys_of(chat: ChatRequest, catalog: Catalog, fingerprint: bytes) -> CacheKeys:
    """What this request may match as it was sent, before it is routed."""
    policy, scope = catalog.policy, chat.scope
    reuse = decide(chat, policy)
    if not (reuse.exact or reuse.share):
        return CacheKeys(scope, reuse, reason=reuse.reason)
    exact = exact_key(scope, chat, policy, fingerprint)
    return CacheKeys(
        scope,
        reuse,
        reason=reuse.reason,
        exact=exact if reuse.exact else None,
        sharing=sharing_key(exact, chat.stream) if reuse.share else None,
        seconds=policy.bounded_ttl(chat.cache_ttl),
    )


def with_meaning(
    keys: CacheKeys, chat: ChatRequest, policy: Policy, fingerprint: bytes
) -> CacheKeys:
    """Add what other wordings of the same question are matched by."""
    text = question(chat.body) or ""
    framed = frame(text)
    if framed is None:
        return replace(keys, reason=keys.reason or refusal(text))
    rest = rest_key(keys.scope, chat, policy, fingerprint)
    similar = policy.cache_matching == "jaccard"
    return replace(
        keys,
        rest=rest,
        canonical=canonical_key(rest, framed.digest),
        words=word_set_of(text, framed) if similar else None,
        similarity=policy.cache_similarity,
    )
