"""The story of one request: reuse an answer, share one on its way, or buy one.

answer -> find_answer -> cache, this process's or that of all
                      -> calls in flight -> buy_answer -> tier -> pool -> provider
"""

import asyncio

import orjson

from gateway import contents, crossing, dry_run, purchase
from gateway.cache import CacheKeys, Hit, shared_hit
from gateway.cache.proposals import verdict
from gateway.dialects import translation
from gateway.economy import apart, economise
from gateway.errors import (
    DeadlinePassed,
    Forbidden,
    GatewayError,
    InternalError,
    ModelNotFound,
)
from gateway.ledger.books import RequestRecord
from gateway.order import Order
from gateway.reading import Answer, read_answer, replay, saved
from gateway.runtime.runtime import Runtime
from gateway.runtime.snapshot import Snapshot
from gateway.shared.shared import Shared
from gateway.shared_call import Bounds, SharedCall
from gateway.whatif import facts
from routing import vectors
from routing.catalog import Policy
from routing.tiers import PinNotAllowed, Route, UnknownModel, resolve


async def answer(record: RequestRecord, runtime: Runtime) -> Answer:
    """Answer a request with the cheapest model that can handle it.

    Every way out writes the request's row: here, or for a stream at its end. A dry run
    has none, because nothing was asked of anybody.
    """
    if record.chat.dry_run:
        return await find_answer(record, runtime)
    contents.listen(record, runtime.snapshot.catalog.policy)
    try:
        found = await find_answer(record, runtime)
    except GatewayError as error:
        record.fail(error)
        raise
    except asyncio.CancelledError:
        record.abandon()
        raise
    except Exception as error:
        record.fail(InternalError(f"{type(error).__name__} in the gateway."))
        raise
    if found.chunks is None:
        if record.transcript:
            record.transcript.hear_whole(found.body)
        record.close(200, "ok")
    elif record.transcript:
        found.chunks = record.transcript.hear(found.chunks)
    return found


async def find_answer(record: RequestRecord, runtime: Runtime) -> Answer:
    """Reuse an answer we have or one already on its way; else buy one."""
    # One configuration for the whole request.
    snapshot = runtime.snapshot.seen_by(record.caller)
    chat, limited = record.chat, bool(record.caller.rules)
    if limited and not chat.dry_run:
        await runtime.charges.admit(record)
    route = read_route(record, snapshot)
    keys, hit = look_up(record, snapshot, runtime)
    if hit is None and runtime.shared:
        hit = await find_shared(keys, record, runtime, runtime.shared)
    if hit is None and limited:
        route, keys, hit = await afford(record, route, keys, snapshot, runtime)
    order = Order(record, route, keys, snapshot)
    facts.note_keys(record, keys)
    if hit is None:
        note_miss(keys, record, runtime)
    if chat.dry_run:
        return Answer(await dry_run.describe(order, hit, runtime))
    if hit:
        return reuse(hit, record, snapshot)

    reader, leads = runtime.inflight.join(
        keys.sharing if keys.reuse.share else None,
        bounds_of(snapshot.catalog.policy),
        lambda call: buy(call, order, runtime),
    )
    if not leads:
        record.cache = "SHARED"
        record.wait()
        record.decide("sharing", "An identical request is on its way; waiting for it.")
    if chat.timeout is not None:
        left = chat.timeout - (runtime.clock() - record.started)
        reader.wait_no_longer_than(left, DeadlinePassed(chat.timeout))
    try:
        return await read_answer(reader, record, snapshot)
    except BaseException:
        reader.close()
        raise


async def afford(
    record: RequestRecord,
    route: Route,
    keys: CacheKeys,
    snapshot: Snapshot,
    runtime: Runtime,
) -> tuple[Route, CacheKeys, Hit | None]:
    """What the caller's budgets leave of a request, and an answer to that."""
    hit = None
    if await economise(record, route, snapshot, runtime.charges):
        # What lower tiers answer is kept apart from what all of them may.
        route = read_route(record, snapshot)
        keys, hit = look_up(record, snapshot, runtime)
        if hit is None and runtime.shared:
            hit = await find_shared(keys, record, runtime, runtime.shared)
    return route, apart(keys, record.caller), hit


def look_up(
    record: RequestRecord, snapshot: Snapshot, runtime: Runtime
) -> tuple[CacheKeys, Hit | None]:
    """What the request may match, and what of it is stored in this process."""
    chat = record.chat
    find = runtime.cache.look if chat.dry_run else runtime.cache.find
    keys, hit = find(
        chat, snapshot.catalog, snapshot.fingerprint_for(chat.scope), runtime.clock()
    )
    return keys, look_over(hit, record, runtime)


def look_over(hit: Hit | None, record: RequestRecord, runtime: Runtime) -> Hit | None:
    """An exact and fresh hit is beyond doubt; another one wants looking after."""
    if hit and (hit.stale or hit.level != "exact"):
        return take_care(hit, record, runtime)
    return hit


def read_route(record: RequestRecord, snapshot: Snapshot) -> Route:
    """What the model name and the overrides allow."""
    param = "x-llm-router-pin" if record.chat.pin else "model"
    try:
        embeds = record.chat.dialect == "vectors"
        find = vectors.resolve if embeds else resolve
        route = find(record.chat, snapshot.catalog)
    except UnknownModel as error:
        raise ModelNotFound(str(error), param=param) from error
    except PinNotAllowed as error:
        raise Forbidden(str(error), param=param) from error
    if names_a_pin(record.chat.model, snapshot) and not record.caller.may_pin:
        raise Forbidden("This key may not choose a backend or tier.", param="model")
    for reason in route.reasons:
        record.decide("model", reason)
    return route


def names_a_pin(model: str, snapshot: Snapshot) -> bool:
    """Is this a backend's name or `tier-N`, rather than a model's?"""
    return model in snapshot.catalog.by_name or model.startswith("tier-")


def reuse(hit: Hit, record: RequestRecord, snapshot: Snapshot) -> Answer:
    """Answer from the cache: nothing is paid, the whole baseline price is saved."""
    entry = hit.entry
    record.cache, record.cache_level = "HIT", hit.level
    record.answered_by = entry.request_id
    record.score, record.tier = entry.score, entry.tier
    record.backend, record.model_served = entry.backend, entry.model
    record.usage = entry.usage
    record.saved_nano = saved(record, snapshot.catalog)
    wording = {"wording": hit.wording.hex()} if hit.wording else {}
    record.decide(
        "cache", hit.reason, level=hit.level, similarity=hit.similarity, **wording
    )
    body = translation.whole(
        entry.body, entry.dialect, record.chat, entry.usage, record.books.wall()
    )
    if not record.chat.stream:
        return Answer(body=body)
    return Answer(chunks=replay(orjson.loads(body), record))


def take_care(hit: Hit, record: RequestRecord, runtime: Runtime) -> Hit | None:
    """A hit that wants looking after; None when its level is off in this scope."""
    off = runtime.snapshot.levels_off.get((record.chat.scope, hit.level))
    if off is None:
        if not record.chat.dry_run:
            runtime.listeners.reused(hit, record)
        return hit
    record.decide("cache", f"The {hit.level} level is off here. {off}")
    return None


async def find_shared(
    keys: CacheKeys, record: RequestRecord, runtime: Runtime, shared: Shared
) -> Hit | None:
    """What another worker has stored, unless the answer is on its way here, or has
    come while we waited for the other's."""
    if runtime.inflight.has_place(keys.sharing):
        return None
    found = await shared.answers.find(keys, runtime.snapshot.catalog.policy)
    withdrawn = runtime.snapshot.withdrawals
    if found is None or withdrawn.cover(record.chat.scope, found.entry):
        if record.chat.dry_run:
            return None
        here = runtime.cache.find_again(keys, runtime.clock())
        return look_over(here, record, runtime)
    if record.chat.dry_run:
        hit = shared_hit(keys, found.entry, found.level)
    else:
        now, entry = runtime.clock(), found.entry
        hit = runtime.cache.take_over(keys, entry, found.level, now, found.seconds)
    return hit if hit.level == "exact" else take_care(hit, record, runtime)


async def buy(call: SharedCall, order: Order, runtime: Runtime) -> None:
    """Once for this process, or once for all that share its Redis."""
    if runtime.shared is None:
        return await purchase.buy_answer(call, order, runtime)
    await crossing.buy_across(call, order, runtime, runtime.shared)


def note_miss(keys: CacheKeys, record: RequestRecord, runtime: Runtime) -> None:
    """And what stands next to it, where the policy has questions indexed."""
    if not keys.reuse.lookup:
        record.cache = "BYPASS"
    reason = f": {keys.reason}" if keys.reason else ""
    text, near = f"No stored answer is used{reason}.", {}
    if keys.question and (found := runtime.cache.nearest(keys, runtime.clock())):
        slot, other = found
        alike = round(other.similarity, 2)
        near = {"nearest": slot.entry.request_id, "similarity": alike}
        text += f" The nearest is {alike:.2f} alike; {verdict(keys, other)}."
    record.decide("cache", text, **near)


def bounds_of(policy: Policy) -> Bounds:
    drains = policy.on_disconnect == "drain"
    return Bounds(
        join_bytes=policy.sharing_buffer_bytes,
        linger_seconds=policy.drain_seconds if drains else 0.0,
    )
