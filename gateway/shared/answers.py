"""Stored answers in shared state: what one worker bought is a hit in all others."""

from contextlib import suppress
from dataclasses import dataclass
from random import Random

from gateway.cache import CacheKeys, Entry, Level
from gateway.cache.policy import LARGEST_ENTRY
from gateway.cache.portable import Unreadable, entry_from_json, entry_to_json
from gateway.cache.store import TTL_JITTER
from gateway.shared.seal import Seal
from gateway.shared.state import Found, SharedState, SharedStateDown
from routing.catalog import Policy

ENVELOPE_BYTES = 4096  # what a stored answer may be larger than its text


@dataclass(frozen=True, slots=True)
class SharedHit:
    """An answer, how it matched, and for how many seconds more it may be reused."""

    entry: Entry
    level: Level
    seconds: float


class SharedAnswers:
    """Never raises: without shared state nothing is found and nothing kept."""

    def __init__(self, state: SharedState, seal: Seal, random: Random) -> None:
        self._state = state
        self._seal = seal
        self._random = random

    async def find(self, keys: CacheKeys, policy: Policy) -> SharedHit | None:
        """An answer for these keys that another worker stored, or we before."""
        names = self.names(keys)
        if not names or not keys.reuse.lookup:
            return None
        try:
            found = await self._state.find(names, max_bytes(policy))
        except SharedStateDown:
            return None
        return self.read(found, keys) if found else None

    def read(self, found: Found, keys: CacheKeys) -> SharedHit | None:
        """Open what was found under one of our names. None when it is not ours."""
        value = self._seal.open(found.name, found.value)
        if value is None:
            return None
        level = self._levels(keys)[found.name]
        try:
            entry = entry_from_json(value["entry"])
        except Unreadable:
            self._seal.broken += 1
            return None
        return SharedHit(entry, level, found.seconds)

    async def put(self, keys: CacheKeys, entry: Entry, policy: Policy) -> None:
        names = self.names(keys)
        if not names or not keys.reuse.store:
            return
        # One name more, by which feedback finds the answer.
        names.append(self._request_name(keys.scope, entry.request_id))
        seconds = keys.seconds
        if seconds is None:
            jitter = self._random.uniform(1 - TTL_JITTER, 1 + TTL_JITTER)
            seconds = policy.cache_ttl_seconds * jitter
        sealed = self._seal.close(names, {"entry": entry_to_json(entry)})
        if len(sealed) > max_bytes(policy):
            return
        with suppress(SharedStateDown):
            await self._state.put(names, sealed, seconds)

    async def forget(self, scope: str, request_id: str, policy: Policy) -> None:
        """Delete the answer that this request bought, under all its names."""
        name = self._request_name(scope, request_id)
        with suppress(SharedStateDown):
            found = await self._state.find([name], max_bytes(policy))
            value = found and self._seal.open(name, found.value)
            if value:
                await self._state.forget(value["for"])

    def names(self, keys: CacheKeys) -> list[str]:
        """What an answer for these keys may be found under, the exact request first."""
        return list(self._levels(keys))

    def _levels(self, keys: CacheKeys) -> dict[str, Level]:
        by_level: dict[Level, bytes | None] = {
            "exact": keys.exact,
            "canonical": keys.canonical,
            "alias": keys.alias,
        }
        return {self._name(key): level for level, key in by_level.items() if key}

    def _name(self, key: bytes) -> str:
        return self._seal.name("answer", key)

    def _request_name(self, scope: str, request_id: str) -> str:
        return self._seal.name("request", scope.encode(), request_id.encode())


def max_bytes(policy: Policy) -> int:
    return int(policy.cache_max_bytes * LARGEST_ENTRY) + ENVELOPE_BYTES
