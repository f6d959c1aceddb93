"""Which requests a cache with these rules would have answered, from hashes of keys.

A cache of its own is filled in the order of the log and read by the rules of a policy.
The real one had several processes, purges, restarts and votes; so what counts is the
difference between two policies, never one of them alone.
"""

from collections import OrderedDict

from routing.catalog import Policy
from routing.chat import Json

# The rules of a policy that decide what is found. One process is imitated, by entries.
RULES = (
    "cache_enabled",
    "cache_matching",
    "cache_max_entries",
    "cache_max_temperature",
    "cache_max_ttl_seconds",
    "cache_stale_seconds",
    "cache_ttl_seconds",
)


def same_rules(one: Policy, other: Policy) -> bool:
    return all(getattr(one, rule) == getattr(other, rule) for rule in RULES)


class Reuse:
    """The stored answers, by hash; the least recently used are first."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._by_meaning = policy.cache_matching != "exact"
        # When each ends, and its meaning where one is known.
        self._entries: OrderedDict[str, tuple[float, str | None]] = OrderedDict()
        self._twins: dict[str, str] = {}  # the entry that a meaning leads to

    def __len__(self) -> int:
        return len(self._entries)

    def ask(self, facts: Json, at: float) -> bool:
        """Whether it is a hit. A miss is bought, and kept if it may be.

        `at` is in POSIX seconds and never falls.
        """
        if not self.counts(facts):
            return False
        id = facts["key"]
        meaning = facts.get("meaning") if self._by_meaning else None
        if "no_cache" not in facts:
            twin = self._twins.get(meaning) if meaning else None
            if self._find(id, facts, at) or twin and self._find(twin, facts, at):
                return True
        if "no_store" not in facts and facts.get("storable", True):
            self._keep(id, meaning, facts, at)
        return False

    def counts(self, facts: Json) -> bool:
        """Do its rules let this request take part at all?"""
        policy = self._policy
        if not policy.cache_enabled or "key" not in facts or "choices" in facts:
            return False
        temperature = facts.get("temperature")
        return (
            temperature is None
            or temperature <= policy.cache_max_temperature
            or "sampled" in facts
        )

    def _find(self, id: str, facts: Json, at: float) -> bool:
        if id not in self._entries:
            return False
        ends, meaning = self._entries[id]
        if at >= ends + self._policy.cache_stale_seconds:
            return False
        self._entries.move_to_end(id)
        if at >= ends:  # a fresh answer is bought behind this one
            self._entries[id] = at + self._seconds(facts), meaning
        return True

    def _keep(self, id: str, meaning: str | None, facts: Json, at: float) -> None:
        self._entries[id] = at + self._seconds(facts), meaning
        self._entries.move_to_end(id)
        if meaning:
            self._twins[meaning] = id
        while len(self._entries) > self._policy.cache_max_entries:
            left, (_, meant) = self._entries.popitem(last=False)
            if meant and self._twins.get(meant) == left:
                del self._twins[meant]

    def _seconds(self, facts: Json) -> float:
        if "ttl" not in facts:
            return self._policy.cache_ttl_seconds
        asked = self._policy.bounded_ttl(facts["ttl"])
        return self._policy.cache_ttl_seconds if asked is None else asked
