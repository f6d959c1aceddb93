"""One call for all workers: lead it, or follow the worker that does.

buy_across -> an answer stored a moment ago
           -> lead: buy_answer, and tell the others
           -> follow: what the leader tells; when it is gone, lead
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import aclosing

import orjson

from gateway.dialects import translation
from gateway.errors import GatewayError, UpstreamIncomplete
from gateway.order import Order, Receipt
from gateway.purchase import buy_answer
from gateway.runtime.runtime import Runtime
from gateway.shared.answers import SharedHit, max_bytes
from gateway.shared.messages import End, error_from_json, known
from gateway.shared.pursuit import follow
from gateway.shared.relay import LEASE_SECONDS, Relay
from gateway.shared.shared import Shared
from gateway.shared.state import SharedStateDown
from gateway.shared_call import SharedCall
from routing.chat import Json, Usage

# Leaders that may vanish before we stop waiting for others and buy for ourselves.
MAX_LEADERS = 3


async def buy_across(
    call: SharedCall, order: Order, runtime: Runtime, shared: Shared
) -> None:
    """Like `buy_answer`, but once for all workers that want the same."""
    if order.keys.sharing is not None:
        name = shared.seal.name("call", order.keys.sharing)
        for _ in range(MAX_LEADERS):
            try:
                if await take_part(call, order, runtime, shared, name):
                    return
            except SharedStateDown:
                break
    await buy_and_keep(call, order, runtime, shared)


async def take_part(
    call: SharedCall, order: Order, runtime: Runtime, shared: Shared, name: str
) -> bool:
    """Lead or follow; whether the call was brought to its end. Raises SharedStateDown
    while nobody has seen anything of the answer."""
    owner = secrets.token_hex(12)
    keys, policy = order.keys, order.policy
    # Only the same request's: what other wordings may get was looked up before.
    names = shared.answers.names(keys)[:1] if keys.reuse.lookup else []
    claim = await shared.state.claim(
        name, owner, LEASE_SECONDS, names, max_bytes(policy)
    )
    if claim.leader != owner:
        return await follow_leader(call, order, shared, name, claim.leader)
    stored = claim.found and shared.answers.read(claim.found, keys)
    withdrawn = order.snapshot.withdrawals
    if stored and not withdrawn.cover(keys.scope, stored.entry):
        await shared.state.release(name, owner, anyway=True)
        runtime.cache.store(keys, stored.entry, runtime.clock(), stored.seconds)
        await hand_out(call, order, stored)
        return True
    relay = Relay(call, shared.state, shared.seal, name, owner)
    try:
        await buy_and_keep(call, order, runtime, shared)
    except GatewayError as error:
        call.fail(error)  # before the others: they are farther away
        raise
    finally:
        await relay.end()
    return True


async def buy_and_keep(
    call: SharedCall, order: Order, runtime: Runtime, shared: Shared
) -> None:
    await buy_answer(call, order, runtime)
    if order.record.conversation:
        await runtime.conversations.tell(order.record.conversation)
    receipt: Receipt | None = call.outcome
    if receipt and receipt.entry:
        await shared.answers.put(order.keys, receipt.entry, order.policy)


async def hand_out(call: SharedCall, order: Order, stored: SharedHit) -> None:
    """Another worker's call ended between our look into the cache and our claim."""
    entry = stored.entry
    order.record.cache = "SHARED"
    order.record.decide("sharing", "An identical request had just been answered.")
    call.outcome = Receipt(
        entry.request_id,
        entry.score,
        entry.tier,
        entry.backend,
        entry.model,
        entry.dialect,
        usage=entry.usage,
    )
    if not order.record.chat.stream:
        return call.finish(entry.body)
    for chunk in translation.replay(orjson.loads(entry.body), entry.dialect):
        call.publish(chunk, len(orjson.dumps(chunk)))
        await call.room()
    call.finish()


async def follow_leader(
    call: SharedCall, order: Order, shared: Shared, name: str, leader: str
) -> bool:
    """Read another worker's call into ours; False when there is nothing to read."""
    record = order.record
    record.cache = "SHARED"
    record.decide(
        "sharing", "An identical request is on its way in another worker; waiting."
    )
    try:
        async with aclosing(
            follow(shared.state, shared.seal, name, leader)
        ) as messages:
            end = await read_messages(call, messages)
    except SharedStateDown:
        if call.outcome is not None:
            raise lost() from None
        end = End.CLOSED
    if end is End.DONE:
        return True
    if call.outcome is not None:
        raise lost()
    record.cache = "MISS"
    record.decide("sharing", "The other worker's call is gone or can't be joined.")
    if end is End.CLOSED:
        raise SharedStateDown("There is no call to take part in.")
    return False


async def read_messages(call: SharedCall, messages: AsyncIterator[Json]) -> End:
    async for message in messages:
        if receipt := message.get("receipt"):
            take_receipt(call, receipt)
        for chunk, size in message.get("chunks", ()):
            call.publish(chunk, size)
            await call.room()
        match message.get("end"):
            case End.DONE:
                completion = message["completion"]
                call.finish(completion and completion.encode())
                return End.DONE
            case End.ERROR:
                raise error_from_json(message["error"])
            case str(end):
                return End(end)
    return End.GONE


def take_receipt(call: SharedCall, value: Json) -> None:
    """What the leader's purchase told; its usage is final in the last message."""
    usage = Usage(**known(Usage, value["usage"]))
    fresh = Receipt(**{**known(Receipt, value), "usage": usage})
    if call.outcome is None:
        call.outcome = fresh
    else:
        call.outcome.usage, call.outcome.seconds = fresh.usage, fresh.seconds


def lost() -> UpstreamIncomplete:
    return UpstreamIncomplete(
        "The answer ended early: the worker that received it is gone."
    )
