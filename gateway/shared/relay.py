"""The leading worker's side of a call that workers share.

A lease says who leads; a beat renews it and asks whether another worker waits. Only
then is anything shipped, from the beginning, so a call nobody else wants costs three
short commands. Without readers here it goes on as long as somebody waits elsewhere.
"""

import asyncio
from collections import deque
from contextlib import suppress

from gateway.errors import ShuttingDown
from gateway.shared.messages import End, error_to_json, receipt_to_json
from gateway.shared.seal import Seal
from gateway.shared.state import SharedState, SharedStateDown
from gateway.shared_call import LAG_BYTES, Reader, SharedCall
from routing.chat import Json

# A worker that stopped without a word is given up on after this long.
LEASE_SECONDS = 2.0
BEAT_SECONDS = 0.25
# What was shipped stays this long after the last message, for slow readers elsewhere.
STREAM_SECONDS = 60.0


class Relay:
    """Begins to beat at once; `end()` it in any case when the call has ended."""

    def __init__(
        self, call: SharedCall, state: SharedState, seal: Seal, name: str, owner: str
    ) -> None:
        self._call = call
        self._state = state
        self._seal = seal
        self._name = name
        self._owner = owner
        self._wake = asyncio.Event()
        self._reader: Reader | None = None
        self._shipping: asyncio.Task[None] | None = None
        self._number = 0
        self._shipped: deque[tuple[int, int]] = deque()  # number, size
        self._shipped_bytes = 0
        call.on_deserted = self._wake.set
        self._beating = asyncio.get_running_loop().create_task(self._beat())

    async def end(self) -> None:
        """Tell whoever waits elsewhere how the call ended, and stop leading."""
        self._beating.cancel()
        self._call.on_deserted = None
        try:
            if await self._state.release(self._name, self._owner):
                return
            self._start_shipping()
            if self._shipping and self._call.done:
                await self._shipping
            await self._send(self._ending())
            await self._state.release(self._name, self._owner, anyway=True)
        except SharedStateDown:
            pass  # the lease runs out, and whoever waits finds out
        finally:
            self._stop_shipping()

    async def _beat(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(BEAT_SECONDS):
                    await self._wake.wait()
            self._wake.clear()
            try:
                if not await self._lead_on():
                    return
            except SharedStateDown:
                # Nobody can be waiting for what nobody can read.
                if not self._call.readers:
                    self._call.give_up()

    async def _lead_on(self) -> bool:
        """Renew the lease and do what it asks for; whether there is more to do."""
        pulse = await self._state.renew(self._name, self._owner, LEASE_SECONDS)
        if pulse.leads and pulse.watched:
            self._start_shipping()
            return True
        deserted = self._call.readers <= {self._reader}
        if pulse.leads and not deserted:
            return True
        if pulse.leads and not await self._state.release(self._name, self._owner):
            return True  # somebody came at the last moment
        self._call.on_deserted = None
        self._stop_shipping()
        if not self._call.readers:
            self._call.give_up()
        return False

    def _start_shipping(self) -> None:
        if self._shipping is None and self._call.from_the_beginning:
            self._reader = self._call.read()
            loop = asyncio.get_running_loop()
            self._shipping = loop.create_task(self._ship(self._reader))

    def _stop_shipping(self) -> None:
        if self._shipping:
            self._shipping.cancel()
        if self._reader:
            self._reader.close()

    async def _ship(self, reader: Reader) -> None:
        try:
            async for chunks in reader.batches():
                receipt = receipt_to_json(self._call.outcome)
                await self._send({"chunks": chunks, "receipt": receipt})
        except SharedStateDown:
            # A message is missing now: whoever waits must not wait for the rest.
            self._beating.cancel()
            reader.close()
            with suppress(SharedStateDown):
                await self._state.release(self._name, self._owner, anyway=True)

    async def _send(self, message: Json) -> None:
        self._number += 1
        stream = stream_of(self._name, self._owner)
        sealed = self._seal.close([f"{stream}:{self._number}"], message)
        self._shipped.append((self._number, len(sealed)))
        self._shipped_bytes += len(sealed)
        while self._shipped_bytes > LAG_BYTES and len(self._shipped) > 1:
            self._shipped_bytes -= self._shipped.popleft()[1]
        await self._state.append(
            stream, self._number, sealed, self._shipped[0][0], STREAM_SECONDS
        )

    def _ending(self) -> Json:
        call = self._call
        if self._shipping is None or len(call.completion or b"") > LAG_BYTES:
            return {"end": End.CLOSED}
        if not call.done or (self._reader and self._reader.dropped):
            return {"end": End.GONE}
        if isinstance(call.error, ShuttingDown):
            return {"end": End.GONE}  # we are; the others may go on
        if call.error:
            return {"end": End.ERROR, "error": error_to_json(call.error)}
        return {
            "end": End.DONE,
            "receipt": receipt_to_json(call.outcome),
            "completion": call.completion and call.completion.decode(),
        }


def stream_of(name: str, owner: str) -> str:
    return f"{name}:{owner}"
