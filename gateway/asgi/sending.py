"""Sends what a view answered, whole or piece by piece."""

import asyncio
from math import inf

from gateway.api.reply import KeptAlive, Reply
from gateway.asgi.guard import ClientGone, Send
from gateway.deadlines import Alarm, Deadline, Deadlines

WRITE_SECONDS = 30.0  # a client that takes nothing for so long is gone


async def send_reply(
    reply: Reply, send: Send, deadlines: Deadlines, *, head: bool = False
) -> None:
    """Send a whole or a streamed answer; a stalled client raises ClientGone."""
    headers = [
        (name.encode("ascii"), value.encode("latin-1")) for name, value in reply.headers
    ]
    start = {"type": "http.response.start", "status": reply.status, "headers": headers}
    if reply.pieces is None:
        headers.append((b"content-length", b"%d" % len(reply.body)))
        await send(start)
        # Both are written at once, so no slow reader can hold us up here.
        body = b"" if head else reply.body
        await send({"type": "http.response.body", "body": body})
        return
    await send(start)
    stalled = deadlines.within(inf)
    try:
        with stalled, SignsOfLife(reply.pieces, send, stalled, deadlines) as signs:
            await send_pieces(reply.pieces, send, stalled, signs)
    except TimeoutError:
        if stalled.passed:
            raise ClientGone from None
        raise


async def send_pieces(
    stream: KeptAlive, send: Send, stalled: Deadline, signs: "SignsOfLife"
) -> None:
    pieces = stream.pieces
    try:
        async for piece in pieces:
            stalled.extend(WRITE_SECONDS)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            stalled.at = inf  # waiting for the provider has timers of its own
            signs.put_off()
        stalled.extend(WRITE_SECONDS)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        await pieces.aclose()  # type: ignore[attr-defined]


class SignsOfLife:
    """While in it, sends a comment whenever the stream was silent for long.

    An alarm for each stream that a piece only puts off: a task and a timer for each
    piece would take half of a stream's processor time.
    """

    def __init__(
        self, stream: KeptAlive, send: Send, stalled: Deadline, deadlines: Deadlines
    ) -> None:
        self._seconds = stream.seconds
        self._message = {
            "type": "http.response.body",
            "body": stream.sign_of_life,
            "more_body": True,
        }
        self._send = send
        self._stalled = stalled
        self._deadlines = deadlines
        self._sending: asyncio.Task[None] | None = None
        self._over = False

    def __enter__(self) -> "SignsOfLife":
        self._loop = asyncio.get_running_loop()
        self._alarm = Alarm(self._loop.time() + self._seconds, self._ring)
        self._deadlines.add(self._alarm, self._loop)
        return self

    def __exit__(self, *error: object) -> None:
        self._over = True
        self._deadlines.remove(self._alarm)
        if self._sending:
            self._sending.cancel()

    def put_off(self) -> None:
        self._alarm.at = self._loop.time() + self._seconds

    def _ring(self) -> None:
        self.put_off()
        if self._sending and not self._sending.done():
            self._stalled.at = 0  # not even the last comment was taken
            return
        self._sending = self._loop.create_task(self._give_sign())

    async def _give_sign(self) -> None:
        if not self._over:
            await self._send(self._message)
