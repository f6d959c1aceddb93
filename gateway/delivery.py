"""One attempt at one backend: send, read, hand on, settle."""

import asyncio

import orjson

from gateway.cache import Entry, storable
from gateway.cascade_checks import doubt
from gateway.dialects.embeddings import inputs_of
from gateway.dialects.upstream_errors import upstream_error
from gateway.errors import UpstreamError, UpstreamIncomplete
from gateway.ledger.books import Attempt
from gateway.limits.estimates import most_nano, most_tokens
from gateway.limits.hold import Hold
from gateway.order import Order, Receipt
from gateway.outcomes import outcome_of
from gateway.providers import wire_format
from gateway.providers.http import Limits, Response
from gateway.runtime.runtime import Runtime
from gateway.shared_call import SharedCall
from gateway.thoughts import nobody
from gateway.whatif import facts
from routing.affinity import Visit
from routing.catalog import Backend, Policy
from routing.chat import Features, Json, Usage
from routing.health import Outcome
from routing.lease import Lease

# How long a chunk that says nothing yet is held, so that a provider that fails right
# after accepting can still be replaced unseen.
HOLD_SECONDS = 0.25
ERROR_BYTES = 64 << 10  # of an error's body that are read
ATTEMPT_HEADER = "x-client-request-id"


class Doubted(Exception):
    """An answer that nobody has seen yet must not be served; the message says why."""


class Delivery:
    """The attempt, from its intent in the journal to its settlement."""

    attempt: Attempt

    def __init__(
        self,
        backend: Backend,
        call: SharedCall,
        order: Order,
        features: Features,
        runtime: Runtime,
        *,
        thoughts: bool = True,
    ) -> None:
        """`thoughts` False sends none of the assistant's earlier ones."""
        self.backend = backend
        self.call = call
        self.order = order
        self.chat = order.record.chat
        self.features = features
        self.runtime = runtime
        self.keep = runtime.thoughts.of(backend) if thoughts else nobody
        self.wire = wire_format(backend, features.ways)
        self.builder = self.wire.Builder(order.policy.max_answer_bytes)
        self._held: list[tuple[Json, int]] = []
        self._timer: asyncio.TimerHandle | None = None

    async def make(self, *, fresh: bool) -> None:
        """Buy the answer and hand it to the call's readers.

        Raises NotExpressible before anything is sent, and UpstreamError, settled,
        after. `fresh` avoids a kept connection.
        """
        record = self.order.record
        backend = self.runtime.refusals.fitted(self.backend)
        request = self.wire.prepare(backend, self.chat, self.order.policy, self.keep)
        for note in request.notes:
            record.decide("dialect", note)
        hold = await self._hold() if record.caller.rules else None
        self.attempt = attempt = self.runtime.books.open_attempt(
            record, self.backend, self.features.prompt_tokens, hold
        )
        request.headers[ATTEMPT_HEADER] = attempt.attempt_id
        with self.runtime.pool.lease(self.backend) as lease:
            try:
                async with self.runtime.http.post(
                    request, limits(self.order.policy, self.chat.stream), fresh=fresh
                ) as response:
                    await self._receive(response, lease)
            except UpstreamError as error:
                way = backend.way_of(self.features.ways) or "chat"
                lease.report(outcome_of(error, way), retry_after=error.retry_after)
                attempt.settle_failure(error, self._usage())
                raise
            except Doubted:
                lease.report(Outcome.OK, latency=attempt.first_byte)
                attempt.settle_answer(self._usage())
                facts.note_check(record, attempt.cost_nano)
                raise
            except asyncio.CancelledError:
                # The last reader left: what came so far is what we know of the bill.
                attempt.settle(
                    "estimated" if request.sent else "free",
                    self._usage(),
                    status=499,
                    error_code="client_closed",
                )
                raise

    async def _hold(self) -> Hold | None:
        """Set aside what the answer may cost, as the caller's limits demand."""
        record = self.order.record
        most = most_tokens(self.backend, self.chat, self.features, self.order.policy)
        nano = most_nano(most, self.backend.price)
        return await self.runtime.charges.hold(record, most, nano)

    async def _receive(self, response: Response, lease: Lease) -> None:
        if response.status != 200:
            body = await response.read(ERROR_BYTES)
            now = self.runtime.books.wall()
            raise upstream_error(response.status, response.headers, body, now)
        if self.chat.stream:
            await self._receive_stream(response, lease)
        else:
            await self._receive_whole(response, lease)

    async def _receive_whole(self, response: Response, lease: Lease) -> None:
        completion, body = self.wire.read_completion(await response.read())
        self.attempt.mark_first_byte()
        usage = self.wire.usage_of(completion) or self.wire.estimate_usage(
            self.features.prompt_tokens, completion
        )
        self._settle(completion, body, usage, lease)
        self.call.finish(body)

    async def _receive_stream(self, response: Response, lease: Lease) -> None:
        reader = self.wire.StreamReader()
        try:
            while not reader.ended and (piece := await response.piece()):
                self.attempt.mark_first_byte()
                size = len(piece)  # counted once, with the first chunk it completes
                for chunk in reader.feed(piece):
                    await self._publish(chunk, size)
                    size = 0
                if reader.error:
                    raise reader.error
            if not reader.ended:
                # A stream that just stops is cut off, however politely it closed.
                raise UpstreamIncomplete("The provider's stream ended too early.")
            self._end_stream()
        finally:
            self._forget_timer()
        body = orjson.dumps(self.builder.answer())
        self._settle(self.builder.completion(), body, self._usage(), lease)
        self.call.finish()
        await response.finish()

    def _end_stream(self) -> None:
        self._show_receipt()
        self._publish_held()

    async def _publish(self, chunk: Json, size: int) -> None:
        self.builder.add(chunk)
        await self._hand_on(chunk, size)

    async def _hand_on(self, chunk: Json, size: int) -> None:
        if self.call.outcome is None and self.wire.says_nothing(chunk):
            self._held.append((chunk, size))
            if self._timer is None:
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(HOLD_SECONDS, self._release)
            return
        self._release()
        if self.builder.complete:
            # Kept until the provider's own end: a stream that is cut off right here
            # must not have told its reader that it was complete.
            self._held.append((chunk, size))
            return
        self.call.publish(chunk, size)
        await self.call.room()

    def _release(self) -> None:
        """From here on the readers see this backend's answer and no other's."""
        self._forget_timer()
        if self.call.outcome is None:
            self._show_receipt()
            self._publish_held()

    def _publish_held(self) -> None:
        for chunk, size in self._held:
            self.call.publish(chunk, size)
        self._held.clear()

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _show_receipt(self) -> Receipt:
        if self.call.outcome is None:
            record = self.order.record
            self.call.outcome = Receipt(
                record.chat.request_id,
                record.score,
                self.backend.tier,
                self.backend.name,
                self.backend.model,
                self.wire.DIALECT,
                seconds=record.upstream_seconds + self.attempt.elapsed,
            )
        receipt: Receipt = self.call.outcome
        return receipt

    def _settle(
        self,
        completion: Json,
        body: bytes,
        usage: Usage,
        lease: Lease,
    ) -> None:
        """Write the books, tell the pool, keep the answer for the next who asks."""
        lease.report(Outcome.OK, latency=self.attempt.first_byte)
        self.attempt.settle_answer(usage)
        self._note_served(usage)
        receipt = self._show_receipt()
        receipt.usage = usage
        receipt.seconds = self.order.record.upstream_seconds
        if self.wire.DIALECT == "anthropic":
            self.runtime.thoughts.remember(completion, self.backend)
        self._note_visit(usage)
        if self.order.record.lesson is not None:
            self._learn(completion)
        self._store(completion, body, receipt)

    def _note_served(self, usage: Usage) -> None:
        nano = self.attempt.cost_nano
        facts.note_served(self.order.record, self.backend, usage, nano)

    def _learn(self, completion: Json) -> None:
        """What the answer's form says of it, and perhaps a comparison with another."""
        record = self.order.record
        if record.lesson is not None:
            record.lesson["doubt"] = doubt(completion, record.chat.body)
            self.runtime.listeners.answered(completion, self.backend.tier, record)

    def _note_visit(self, usage: Usage) -> None:
        """The conversation's next turn wants to know where this one went."""
        record, backend = self.order.record, self.backend
        if record.conversation is None:
            return
        now = self.runtime.books.wall()
        cached, written = max(0, usage.cached), max(0, usage.cache_write)
        visit = Visit(backend.name, backend.tier, cached, written, now)
        self.runtime.conversations.note(record.conversation, visit)

    def _store(self, completion: Json, body: bytes, receipt: Receipt) -> None:
        keys, record = self.order.keys, self.order.record
        if keys.exact is None or self.builder.overflowed:
            return
        vectors = len(inputs_of(record.chat.body)) if self._embeds else 0
        if reason := storable(completion, len(body), self.order.policy, vectors):
            record.decide("store", f"The answer is not kept: {reason}.")
            record.facts["storable"] = False
            return
        now = self.runtime.clock()
        entry = Entry(
            body=body,
            usage=receipt.usage,
            backend=receipt.backend,
            model=receipt.model,
            tier=receipt.tier,
            score=receipt.score,
            cost_nano=self.attempt.cost_nano,
            request_id=receipt.request_id,
            dialect=receipt.dialect,
            at=self.runtime.books.wall(),
        )
        self.runtime.cache.store(keys, entry, now)
        self.runtime.persistence.keep(keys, entry, self.order.policy)
        receipt.entry = entry
        self.runtime.listeners.bought(keys, entry, record)

    @property
    def _embeds(self) -> bool:
        return self.order.record.chat.dialect == "vectors"

    def _usage(self) -> Usage:
        """As the provider reported it, else estimated from what arrived."""
        return self.builder.usage or self.wire.estimate_usage(
            self.features.prompt_tokens, self.builder.completion()
        )


def limits(policy: Policy, stream: bool) -> Limits:
    """A stream may last long while it flows; a whole answer has one deadline."""
    write = policy.write_timeout_seconds
    return Limits(
        connect=policy.connect_timeout_seconds,
        first_byte=policy.first_byte_timeout_seconds,
        gap=write,
        total=policy.stream_max_seconds if stream else write,
        max_bytes=policy.max_answer_bytes,
    )
