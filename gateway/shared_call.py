"""A call to a provider, and the readers that it belongs to together.

Streams are kept from the beginning, so that a late reader gets the replay and then what
is live; a stream longer than the bound can't be joined any more. Late joiners and slow
ones cost nobody else time.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from gateway.errors import GatewayError, InternalError, Overloaded
from routing.chat import Json

# A reader this far behind the fastest one of its group is let go.
LAG_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Bounds:
    """`join_bytes`: how much of a stream is kept for late readers. `linger_seconds`:
    how long a call goes on when nobody reads it (0: it is cancelled at once), and
    `max_lingering`: how many calls of a process may do so at a time."""

    join_bytes: int = 1 << 20
    linger_seconds: float = 0.0
    max_lingering: int = 100
    max_readers: int = 10_000


class SharedCall:
    """One call and the readers it belongs to. `outcome` is whatever the buyer tells
    its readers about the purchase, set before the first chunk. `lingering` are the
    calls of the process that nobody reads."""

    def __init__(
        self, bounds: Bounds, lingering: "set[SharedCall] | None" = None
    ) -> None:
        self.bounds = bounds
        self._lingering = set() if lingering is None else lingering
        self.outcome: Any = None
        self.completion: bytes | None = None
        self.error: GatewayError | None = None
        self.done = False
        self.readers: set[Reader] = set()
        self.task: asyncio.Task[None] | None = None
        self.joinable = True
        # Asked when the last reader has left; without it the call is given up.
        self.on_deserted: Callable[[], None] | None = None
        self._chunks: deque[tuple[Json, int]] = deque()
        self._first = 0  # number of the oldest chunk kept
        self._sent_bytes = 0
        self._room: asyncio.Future[None] | None = None

    def publish(self, chunk: Json, size: int) -> None:
        """Hand a chunk of `size` bytes to every reader."""
        self._chunks.append((chunk, size))
        self._sent_bytes += size
        if self._sent_bytes > self.bounds.join_bytes:
            self.joinable = False
            self._drop_read()
        self._wake()

    async def room(self) -> None:
        """Wait while even the fastest reader is far behind: backpressure."""
        while self.readers and not self.done and self._lag() > self.bounds.join_bytes:
            self._room = asyncio.get_running_loop().create_future()
            await self._room
        for reader in [r for r in self.readers if r.behind > LAG_BYTES]:
            if len(self.readers) > 1:
                reader.let_go(
                    Overloaded("The stream was read too slowly and has been dropped.")
                )

    def finish(self, completion: bytes | None = None) -> None:
        """End well: `completion` is the whole answer's JSON, None for a stream."""
        self.completion = completion
        self._end()

    def fail(self, error: GatewayError) -> None:
        """End badly; the first ending counts."""
        if not self.done:
            self.error = error
            self._end()

    @property
    def has_place(self) -> bool:
        full = len(self.readers) >= self.bounds.max_readers
        return self.joinable and not self.done and not full

    @property
    def from_the_beginning(self) -> bool:
        """Could a new reader still get everything?"""
        return self._first == 0

    def read(self) -> "Reader":
        """A new reader, beginning with the first chunk. Check `has_place` before."""
        reader = Reader(self)
        self.readers.add(reader)
        return reader

    def left(self, reader: "Reader") -> None:
        self.readers.discard(reader)
        self._make_room()
        if not self.readers and not self.done:
            (self.on_deserted or self.give_up)()

    def give_up(self) -> None:
        """Nobody wants it any more: cancel it, or let it linger."""
        self.joinable = False
        if self.task is None or self in self._lingering:
            return
        linger = self.bounds.linger_seconds
        # Who left makes no room in admission for what is still on its way.
        if not linger or len(self._lingering) >= self.bounds.max_lingering:
            self.task.cancel()
            return
        self._lingering.add(self)
        asyncio.get_running_loop().call_later(linger, self.task.cancel)

    def _end(self) -> None:
        self.done = True
        self._lingering.discard(self)
        self._wake()
        self._make_room()

    def _wake(self) -> None:
        for reader in self.readers:
            reader.wake()

    def _lag(self) -> int:
        return min(reader.behind for reader in self.readers)

    def _make_room(self) -> None:
        if self._room and not self._room.done():
            self._room.set_result(None)

    def _drop_read(self) -> None:
        """Forget chunks that every reader has read; nobody can join any more."""
        end = self._first + len(self._chunks)
        oldest = min((r.position for r in self.readers), default=end)
        while self._first < oldest and self._chunks:
            self._chunks.popleft()
            self._first += 1


class Reader:
    """One participant. Always `close()` it; closing twice does nothing."""

    def __init__(self, call: SharedCall) -> None:
        self.call = call
        self.position = 0
        self._read_bytes = 0
        self._waiting: asyncio.Future[None] | None = None
        self.let_go_for: GatewayError | None = None  # it gets no more, and this is why
        self._deadline: asyncio.TimerHandle | None = None

    @property
    def behind(self) -> int:
        """Bytes published and not yet read here."""
        return self.call._sent_bytes - self._read_bytes

    @property
    def dropped(self) -> bool:
        return self.let_go_for is not None

    def wait_no_longer_than(self, seconds: float, error: GatewayError) -> None:
        """After so many seconds this reader gets `error`; the others go on."""
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(seconds, self.let_go, error)

    async def started(self) -> None:
        """Return at the first chunk or the end. Raises the call's error."""
        while not (self.call.done or self.dropped or self._available()):
            await self._changed()
        if self.call.error and not self._available():
            raise self.call.error

    async def completion(self) -> bytes:
        """The whole answer of a call that is not a stream. Raises its error."""
        while not (self.call.done or self.dropped):
            await self._changed()
        if error := self.let_go_for or self.call.error:
            raise error
        if self.call.completion is None:
            raise InternalError("The shared call ended without an answer.")
        return self.call.completion

    async def chunks(self) -> AsyncIterator[Json]:
        """Every chunk from the first on. Raises the call's error where it happened."""
        while True:
            while self._available():
                yield self._next()
            if self.let_go_for:
                raise self.let_go_for
            if self.call.done:
                break
            await self._changed()
        if self.call.error:
            raise self.call.error

    async def batches(self) -> AsyncIterator[list[tuple[Json, int]]]:
        """All chunks that have come since the last look, with their sizes, until the
        call ends in whatever way."""
        while True:
            batch = []
            while self._available():
                size = self.call._chunks[self.position - self.call._first][1]
                batch.append((self._next(), size))
            if batch:
                yield batch
            elif self.dropped or self.call.done:
                return
            else:
                await self._changed()

    def close(self) -> None:
        if self._deadline:
            self._deadline.cancel()
        if self in self.call.readers:
            self.call.left(self)

    def wake(self) -> None:
        if self._waiting and not self._waiting.done():
            self._waiting.set_result(None)

    def let_go(self, error: GatewayError) -> None:
        self.let_go_for = error
        self.close()
        self.wake()

    def _available(self) -> bool:
        call = self.call
        return not self.dropped and self.position < call._first + len(call._chunks)

    def _next(self) -> Json:
        call = self.call
        chunk, size = call._chunks[self.position - call._first]
        self.position += 1
        self._read_bytes += size
        call._make_room()
        return chunk

    async def _changed(self) -> None:
        # A future of its own: awaiting a shared one would cancel it for everybody.
        self._waiting = asyncio.get_running_loop().create_future()
        await self._waiting
