"""What is known of the answers in this process's memory, without their texts."""

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.admin.dashboard.live import ago
from gateway.cache.matching import keys_of, with_meaning
from gateway.cache.proposals import verdict
from gateway.cache.store import Slot
from gateway.ledger.books import saving
from gateway.runtime.runtime import Runtime
from routing.chat import ChatRequest
from routing.money_format import dollars


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer, each value as the text of its cell."""

    request_id: str
    scope: str
    backend: str
    model: str
    hits: int
    saved: str
    age: str
    left: str
    size: str
    tokens: str
    levels: str


@dataclass(frozen=True, slots=True)
class Near:
    """A stored question beside the one that was looked up."""

    request_id: str
    similarity: str
    common: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Looked:
    """What a question would get: `hit` is a level or "", `why` a sentence."""

    hit: str
    why: str
    request_id: str
    near: list[Near]
    learning: bool


def entries_of(runtime: Runtime, scope: str = "", model: str = "") -> list[Entry]:
    """The most used first, then the newest."""
    slots = [
        slot
        for slot in runtime.cache.slots()
        if scope in ("", slot.scope)
        and model in ("", slot.entry.model, slot.entry.backend)
    ]
    slots.sort(key=lambda slot: (-slot.served, -slot.entry.at))
    return [entry_of(slot, runtime) for slot in slots]


def entry_of(slot: Slot, runtime: Runtime) -> Entry:
    entry, catalog = slot.entry, runtime.snapshot.catalog
    saved = slot.served * saving(entry.usage, 0, catalog)
    left = slot.expires_at - runtime.clock()
    return Entry(
        request_id=entry.request_id,
        scope=slot.scope,
        backend=entry.backend,
        model=entry.model,
        hits=slot.served,
        saved=dollars(saved),
        age=ago(max(0.0, runtime.books.wall() - entry.at)),
        left=ago(left) if left > 0 else "expired",
        size=f"{slot.size / 1024:,.1f} KB",
        tokens=f"{entry.usage.prompt:,} / {entry.usage.completion:,}",
        levels=", ".join(runtime.cache.levels_of(slot)),
    )


def look_up(runtime: Runtime, text: str, scope: str, model: str) -> Looked:
    """What this question would get now, and what stands near to it."""
    snapshot, now = runtime.snapshot, runtime.clock()
    policy = snapshot.catalog.policy
    body = {"messages": [{"role": "user", "content": text}]}
    chat = ChatRequest(body, scope, "cache-browser", model=model)
    fingerprint = snapshot.fingerprint_for(scope)
    keys, hit = runtime.cache.look(chat, snapshot.catalog, fingerprint, now)
    why = hit.reason if hit else keys.reason or "no stored question means this"
    if hit and (off := snapshot.levels_off.get((scope, hit.level))):
        why = f"the {hit.level} level is off here: {off}"
        hit = None
    return Looked(
        hit.level if hit else "",
        why,
        hit.entry.request_id if hit else "",
        list(neighbours(runtime, chat)),
        policy.cache_learn_aliases,
    )


def neighbours(runtime: Runtime, chat: ChatRequest) -> Iterator[Near]:
    """What is stored near to this question, as far as the policy has it indexed."""
    snapshot = runtime.snapshot
    fingerprint = snapshot.fingerprint_for(chat.scope)
    keys = keys_of(chat, snapshot.catalog, fingerprint)
    if keys.reuse.semantic:
        keys = with_meaning(keys, chat, snapshot.catalog.policy, fingerprint)
    if keys.question is None:
        return
    for slot, each in runtime.cache.near(keys, runtime.clock()):
        # Words of the text that was typed in, and none of any other one.
        common = sorted(keys.question.words & each.question.words)
        yield Near(
            slot.entry.request_id,
            f"{each.similarity:.2f}",
            ", ".join(common),
            verdict(keys, each),
        )
