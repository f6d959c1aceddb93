"""The other workers' side of a call: its messages, from the first to the last."""

import asyncio
from collections.abc import AsyncGenerator

from gateway.shared.messages import End
from gateway.shared.relay import LEASE_SECONDS, stream_of
from gateway.shared.seal import Seal
from gateway.shared.state import SharedState
from routing.chat import Json

# How long to wait for the next message: briefly while they flow, longer when not.
SHORTEST_PAUSE = 0.01
LONGEST_PAUSE = 0.1
WATCH_SECONDS = 0.5


async def follow(
    state: SharedState, seal: Seal, name: str, leader: str
) -> AsyncGenerator[Json, None]:
    """What the leader tells, as it comes. The last message has an `end`, which is GONE
    when the leader is, or when a message is missing or isn't his.

    Raises SharedStateDown.
    """
    stream = stream_of(name, leader)
    loop = asyncio.get_running_loop()
    number, pause, watch_at, last_look = 0, SHORTEST_PAUSE, 0.0, False
    while True:
        rows = await state.read(stream, number)
        for got, sealed in rows:
            number += 1
            message = seal.open(f"{stream}:{number}", sealed) if got == number else None
            if message is None:
                yield {"end": End.GONE}
                return
            yield message
            if "end" in message:
                return
        if rows:
            pause = SHORTEST_PAUSE
            continue
        if last_look:
            yield {"end": End.GONE}
            return
        if loop.time() >= watch_at:
            watch_at = loop.time() + WATCH_SECONDS
            # Its last message may have come after we looked: look once more.
            last_look = await state.watch(name, LEASE_SECONDS) != leader
            if last_look:
                continue
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)
