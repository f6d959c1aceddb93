"""Reading an answer, stored or bought, and its end in the books."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from gateway.dialects import translation
from gateway.errors import GatewayError
from gateway.ledger.books import RequestRecord, saving, saving_of_vectors
from gateway.order import Receipt
from gateway.runtime.snapshot import Snapshot
from gateway.shared_call import Reader, SharedCall
from routing.catalog import Catalog
from routing.chat import Json


@dataclass(slots=True)
class Answer:
    """What the client gets, in its dialect: a whole answer's JSON, or a stream's
    chunks or events.

    Call `close` at the end in any case: a stream may end before its first chunk was
    asked for, and then nothing of `chunks` has run.
    """

    body: bytes = b""
    chunks: AsyncIterator[Json] | None = None
    reader: Reader | None = None

    def close(self) -> None:
        if self.reader:
            self.reader.close()


async def replay(answer: Json, record: RequestRecord) -> AsyncIterator[Json]:
    """A stored answer as a stream."""
    try:
        for chunk in translation.replay(answer, record.chat.dialect):
            record.mark_first_byte()
            yield chunk
        record.close(200, "ok")
    finally:
        record.abandon()


async def read_answer(
    reader: Reader, record: RequestRecord, snapshot: Snapshot
) -> Answer:
    """Wait for the bought answer, or for the first piece of its stream."""
    policy = snapshot.catalog.policy
    if record.chat.stream:
        try:
            # A wait this long is bridged by comments, so that no proxy gives up.
            async with asyncio.timeout(policy.keepalive_seconds):
                await reader.started()
        except TimeoutError:
            pass
        accept_receipt(reader.call, record)
        if reader.let_go_for:  # nothing was sent yet: an error can have its own status
            raise reader.let_go_for
        return Answer(chunks=follow(reader, record, snapshot), reader=reader)
    body = await reader.completion()  # each attempt at it has its own timers
    settle(reader.call, record, snapshot)
    reader.close()
    dialect = reader.call.outcome.dialect
    return Answer(
        translation.whole(body, dialect, record.chat, record.usage, record.books.wall())
    )


async def follow(
    reader: Reader, record: RequestRecord, snapshot: Snapshot
) -> AsyncIterator[Json]:
    """The chunks as they arrive; the record is closed where they end."""
    translator: translation.Translator | None = None
    try:
        async for chunk in reader.chunks():
            if record.first_byte is None:
                record.mark_first_byte()
                accept_receipt(reader.call, record)
                translator = translation.translator(
                    reader.call.outcome.dialect, record.chat, record.books.wall()
                )
            if translator is None:
                yield chunk
                continue
            for translated in translator.feed(chunk):
                yield translated
        settle(reader.call, record, snapshot)
        for last in translator.finish(record.usage) if translator else ():
            yield last
        record.close(200, "ok")
    except GatewayError as error:
        accept_receipt(reader.call, record)
        record.fail(error)
        raise
    finally:
        reader.close()
        record.abandon()


def accept_receipt(call: SharedCall, record: RequestRecord) -> None:
    """Copy what the purchase told so far; a follower hears it from the leader's."""
    receipt: Receipt | None = call.outcome
    if receipt is None:
        return
    record.score, record.tier = receipt.score, receipt.tier
    record.backend, record.model_served = receipt.backend, receipt.model
    record.told_seconds = receipt.seconds
    if receipt.request_id != record.chat.request_id:
        record.answered_by = receipt.request_id


def settle(call: SharedCall, record: RequestRecord, snapshot: Snapshot) -> None:
    """Tokens and savings of a finished answer; who shared it paid nothing."""
    accept_receipt(call, record)
    receipt: Receipt = call.outcome
    record.usage = receipt.usage
    if record.unpriced:
        record.decide("cost", f"{receipt.backend} has no price: the cost is unknown.")
        return
    record.saved_nano = saved(record, snapshot.catalog)


def saved(record: RequestRecord, catalog: Catalog) -> int:
    if record.chat.dialect == "vectors":
        backend = catalog.by_name.get(record.backend)
        return saving_of_vectors(record.usage, record.cost_nano, backend)
    return saving(record.usage, record.cost_nano, catalog)
