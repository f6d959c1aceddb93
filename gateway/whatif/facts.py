"""What is kept of a request so that its decisions can be made once more.

`RequestRecord.facts`, a JSON object; each name is there only where it has something to
say. None of it is text of the client's, but for names that the log holds anyway.

    key, meaning      the first 8 bytes of its exact and canonical cache keys, in hex
    temperature, choices, sampled, no_cache, no_store, ttl
                      what decides whether they count
    storable          false: its answer was not fit to be kept
    pin, min_tier, max_tier, models
                      what bounds it beside the model it names
    tokens, longest, output, tools, needs, ways
                      what a backend must be able to take
    rate              the sidecar's word
    router, expected  the version that judged it, and the quality of each tier
    drawn             the tier that chance chose, to learn or as the holdout
    loop              the tier that an open tool loop holds it at
    visit             [backend, warm tokens, calls so far, were caches written]
    prefer            the backend it prefers among equals
    cascade           [first tier, next tier, whether the first one's answer failed]
    only_up           the cascade's checks tell nothing of quality
    intent            the one that leads it, where intents have cascades of their own
    off               backends that were switched off or misconfigured
    out, failed       backends that could not be asked then, and those that failed it
    paid, checks      nano-USD of the call that was served, and of those by which the
                      cascade looked at it
    unpriced          true: the served call has no price
    written           [prompt tokens written to the provider's cache, for an hour]
"""

from collections.abc import Sequence

from gateway.cache import CacheKeys
from gateway.ledger.books import RequestRecord
from routing.catalog import Backend
from routing.chat import Features, Usage

KEY_BYTES = 8
Moment = tuple[Sequence[str], Sequence[str]]  # who was out, and who had failed


def note_keys(record: RequestRecord, keys: CacheKeys) -> None:
    """What the cache went by."""
    chat, facts = record.chat, record.facts
    facts["key"] = keys.identity[:KEY_BYTES].hex()
    if keys.canonical:
        facts["meaning"] = keys.canonical[:KEY_BYTES].hex()
    if (temperature := chat.body.get("temperature")) is not None:
        facts["temperature"] = temperature
    if (chat.body.get("n") or 1) > 1:
        facts["choices"] = True
    if chat.allow_sampled_reuse:
        facts["sampled"] = True
    if chat.no_cache:
        facts["no_cache"] = True
    if chat.no_store:
        facts["no_store"] = True
    if chat.cache_ttl is not None:
        facts["ttl"] = chat.cache_ttl


def note_demands(record: RequestRecord, features: Features) -> None:
    """What bounds the choice of a tier and of a backend."""
    chat, facts = record.chat, record.facts
    for name in ("pin", "min_tier", "max_tier", "prefer"):
        if (value := getattr(chat, name)) not in (None, ""):
            facts[name] = value
    if record.caller.models:
        facts["models"] = record.caller.models
    facts["tokens"] = features.prompt_tokens
    for name, number in (
        ("longest", features.longest),
        ("output", features.max_output),
        ("tools", features.tools),
    ):
        if number:
            facts[name] = number
    if features.needs:
        facts["needs"] = sorted(features.needs)
    if features.ways != ("chat",):
        facts["ways"] = features.ways


def note_switched_off(record: RequestRecord, names: Sequence[str]) -> None:
    """For people: a replay looks at how the backends are configured today."""
    if names:
        record.facts["off"] = names


def note_moment(
    record: RequestRecord, out: Sequence[str], failed: Sequence[str]
) -> None:
    """Who could not be asked when the backend was picked that is asked now."""
    facts = record.facts
    for name, names in (("out", out), ("failed", failed)):
        if names:
            facts[name] = names
        else:
            facts.pop(name, None)


def moment_of(record: RequestRecord) -> Moment:
    """What was noted last, to be noted again when that answer is served after all."""
    return record.facts.get("out", ()), record.facts.get("failed", ())


def note_check(record: RequestRecord, nano: int) -> None:
    """What an answer cost that was bought for the cascade's sake."""
    record.facts["checks"] = record.facts.get("checks", 0) + nano


def note_served(
    record: RequestRecord, backend: Backend, usage: Usage, nano: int
) -> None:
    """What the served call cost; the record knows the rest of its tokens."""
    facts = record.facts
    for name in ("written", "unpriced"):  # of an answer that is not the one served
        facts.pop(name, None)
    facts["paid"] = nano
    if usage.cache_write:
        facts["written"] = [usage.cache_write, usage.cache_write_1h]
    if backend.price is None:
        facts["unpriced"] = True
