"""The answer cache: by equality first, by guarded similarity when the policy says so.

Isolation is by construction: every key and every partition of the index contains the
scope, so there is nothing of another scope to be found.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial
from random import Random

from gateway.cache.aliases import Aliases
from gateway.cache.embeddings import Placed
from gateway.cache.hits import EQUAL, CacheStats, Hit, Level, Proposal, shared_hit
from gateway.cache.jaccard import JaccardIndex
from gateway.cache.matching import CacheKeys, keys_of, with_meaning
from gateway.cache.neighbours import Neighbour, guard
from gateway.cache.proposals import NEAR, PROPOSALS, Questions, index_bytes
from gateway.cache.store import AnswerStore, Entry, Slot
from gateway.cache.withdrawal import Withdrawals
from routing.catalog import Catalog, Policy
from routing.chat import ChatRequest


class AnswerCache:
    def __init__(self, policy: Policy, random: Random) -> None:
        self._index, self._questions = JaccardIndex(), Questions()
        self._aliases = Aliases()
        self._learning = policy.cache_learn_aliases
        self._embedding = bool(policy.cache_embeddings)
        self._store = AnswerStore(
            policy.cache_max_entries,
            policy.cache_max_bytes,
            policy.cache_ttl_seconds,
            random,
            on_remove=partial(leave, self._index, self._questions),
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
            self._count(hit, now)
        elif keys.exact is not None and keys.reuse.lookup:
            self._misses += 1
            self._store.drop_expired((keys.exact, keys.canonical, keys.alias), now)
        return keys, hit

    def look(
        self, chat: ChatRequest, catalog: Catalog, fingerprint: bytes, now: float
    ) -> tuple[CacheKeys, Hit | None]:
        """What `find` would find, without counting or keeping it for that."""
        keys = keys_of(chat, catalog, fingerprint)
        if hit := self._exact(keys, now):
            return keys, hit
        if keys.reuse.semantic:
            keys = with_meaning(keys, chat, catalog.policy, fingerprint)
            if alias := self._alias_of(keys):
                keys = keys._replace(alias=alias)
        return keys, self._semantic(keys, now)

    def find_again(self, keys: CacheKeys, now: float) -> Hit | None:
        """What has come since `find` missed it, while the request waited."""
        hit = self._exact(keys, now) or self._semantic(keys, now)
        if hit is not None:
            self._count(hit, now)
            self._misses -= 1
        return hit

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
        # The class as it is now: while the answer was bought it may have changed.
        further = (keys.canonical, self._alias_of(keys))
        kept = self._store.put(
            (keys.exact, *filter(None, further)),
            keys.scope,
            entry,
            now,
            self._index_bytes(keys),
            seconds,
        )
        if kept and keys.words and keys.rest:
            self._index.add(keys.rest, keys.exact, keys.words)
        if kept:
            self._questions.add(keys)
        return kept

    def place(self, keys: CacheKeys, placed: Placed) -> None:
        """Where the embedding of a question lies whose answer was just stored."""
        self._questions.place(keys, placed)

    def propose(
        self, keys: CacheKeys, now: float, placed: Placed | None = None
    ) -> Proposal | None:
        """The stored question nearest to this one that may be the same, if any."""
        if keys.question is None or keys.canonical is None:
            return None
        for each in self._questions.proposed(keys, placed):
            slot = self._store.peek(each.id, now)
            if (
                slot
                and not guard(keys.question, each.question)
                and self._aliases.may_learn(keys.canonical, each.id)
            ):
                return Proposal(slot.entry, each.question, each.id, each.similarity)
        return None

    def know_aliases(
        self, roots: Mapping[bytes, bytes], refused: Iterable[tuple[bytes, bytes]]
    ) -> None:
        """These wordings were learned, each with its question's canonical key, and
        these pairs refused; nothing else is known from now on."""
        for member, key in self._aliases.replace(roots, refused):
            self._store.add_key(member, key)

    def peek(
        self, chat: ChatRequest, catalog: Catalog, fingerprint: bytes, now: float
    ) -> Entry | None:
        """The stored answer to exactly this request, without counting a hit."""
        keys = keys_of(chat, catalog, fingerprint)
        if keys.exact is None or not keys.reuse.lookup:
            return None
        slot = self._store.peek(keys.exact, now)
        return slot.entry if slot else None

    def take_over(
        self, keys: CacheKeys, entry: Entry, level: Level, now: float, seconds: float
    ) -> Hit:
        """Another worker had stored what `find` missed: a hit, and here from now on.

        Under the key it was found by: another wording's answer must not come back as
        the exact request's.
        """
        key = {"canonical": keys.canonical, "alias": keys.alias}.get(level, keys.exact)
        if level == "exact":
            self.store(keys, entry, now, seconds)
        elif key:
            self._store.put((key,), keys.scope, entry, now, seconds=seconds)
        if key:
            self._store.get(key, now)
        self._hits[level] += 1
        self._misses -= 1
        return shared_hit(keys, entry, level)

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

    def withdraw(self, withdrawals: Withdrawals) -> int:
        """Forget the answers these cover; how many they were."""
        if not withdrawals:
            return 0
        return self._store.remove_if(
            lambda slot: withdrawals.cover(slot.scope, slot.entry)
        )

    def forget(self, scope: str, request_id: str) -> bool:
        """Remove the answer this request bought; whether it was here."""
        return self._store.forget(scope, request_id)

    def configure(self, policy: Policy) -> None:
        """Take over the bounds of a new policy at once."""
        self._learning = policy.cache_learn_aliases
        self._embedding = bool(policy.cache_embeddings)
        self._store.resize(
            policy.cache_max_entries,
            policy.cache_max_bytes,
            policy.cache_ttl_seconds,
            policy.cache_stale_seconds,
        )

    def slots(self) -> list[Slot]:
        """All answers, the least recently used first."""
        return self._store.slots()

    def levels_of(self, slot: Slot) -> tuple[Level, ...]:
        """The levels at which another request may find this answer."""
        classes = sum(map(self._aliases.is_class, slot.keys))
        found: dict[Level, bool] = {
            "exact": True,
            "canonical": len(slot.keys) - classes > 1,
            "alias": classes > 0,
            "jaccard": slot.id in self._index,
        }
        return tuple(level for level, can in found.items() if can)

    def near(self, keys: CacheKeys, now: float) -> list[tuple[Slot, Neighbour]]:
        """The stored questions nearest to this one, all else in the request equal."""
        found = self._questions.near(keys, 0.0, PROPOSALS * 2)
        slots = ((self._store.peek(each.id, now), each) for each in found)
        return [(slot, each) for slot, each in slots if slot]

    def nearest(self, keys: CacheKeys, now: float) -> tuple[Slot, Neighbour] | None:
        """The first of them, when it is near enough to be spoken of: unlike all of
        them, it is soon found among any number."""
        for each in self._questions.near(keys, NEAR, 1):
            if slot := self._store.peek(each.id, now):
                return slot, each
        return None

    def stats(self) -> CacheStats:
        return CacheStats(
            entries=len(self._store),
            bytes=self._store.bytes,
            hits=dict(self._hits),
            misses=self._misses,
            evictions=self._store.evictions,
            expirations=self._store.expirations,
        )

    def _index_bytes(self, keys: CacheKeys) -> int:
        """About what it costs to find an answer by other wordings."""
        words = keys.words.index_bytes if keys.words else 0
        if keys.question is None:
            return words
        return words + index_bytes(keys.question, embedded=self._embedding)

    def _count(self, hit: Hit, now: float) -> None:
        self._hits[hit.level] += 1
        self._store.get(hit.key, now)

    def _exact(self, keys: CacheKeys, now: float) -> Hit | None:
        if keys.exact is None or not keys.reuse.lookup:
            return None
        return self._equal(keys.exact, "exact", now)

    def _semantic(self, keys: CacheKeys, now: float) -> Hit | None:
        if keys.exact is None or not keys.reuse.lookup:
            return None
        if hit := self._equal(keys.canonical, "canonical", now):
            return hit
        if hit := self._equal(keys.alias, "alias", now):
            return hit._replace(wording=keys.canonical or b"")
        return self._similar(keys, now)

    def _alias_of(self, keys: CacheKeys) -> bytes | None:
        return self._aliases.class_of(keys.canonical) if self._learning else None

    def _equal(self, key: bytes | None, level: Level, now: float) -> Hit | None:
        slot = self._store.peek(key, now) if key else None
        if slot is None or key is None:
            return None
        stale = slot.expires_at <= now
        return Hit(slot.entry, level, 1.0, EQUAL[level], stale, key=key)

    def _similar(self, keys: CacheKeys, now: float) -> Hit | None:
        if keys.words is None or keys.rest is None:
            return None
        while found := self._index.find(keys.rest, keys.words, keys.similarity):
            id, similarity = found
            if slot := self._store.peek(id, now):
                reason = f"word sets {similarity:.2f} alike"
                stale = slot.expires_at <= now
                return Hit(slot.entry, "jaccard", similarity, reason, stale, key=id)
            self._store.drop_expired((id,), now)
            self._index.remove(id)  # and from here in any case: never the same twice
        return None


def leave(index: JaccardIndex, questions: Questions, slot: Slot) -> None:
    """Take an entry out of what it could be found by."""
    index.remove(slot.id)
    for key in slot.keys:
        questions.remove(key)
