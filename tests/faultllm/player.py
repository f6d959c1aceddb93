"""Plays the steps of a response on a connection, and meters what they bill."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.faultllm.connection import Connection
from tests.faultllm.journal import Attempt, Outcome
from tests.faultllm.steps import (
    Close,
    Hold,
    Pause,
    Reset,
    Send,
    Stall,
    Step,
    Steps,
    is_chunk,
)


@dataclass(slots=True)
class Player:
    """One response under way. `wait_for_release` is what a `Hold` waits on; `changed`
    is told of every step that a test may be waiting for."""

    attempt: Attempt
    prompt_tokens: int
    connection: Connection
    wait_for_release: Callable[[Connection], Awaitable[None]]
    changed: Callable[[], None]

    async def play(self, steps: Steps) -> Outcome:
        gone = self.connection.gone
        for number, step in enumerate(steps):
            if number:
                # Lets the loop notice a FIN, however much there is to write.
                await asyncio.sleep(0)
            if gone.done():
                return "peer-closed"
            match step:
                case Close():
                    return "closed"
                case Reset():
                    return "reset"
                case Send():
                    try:
                        await self.send(step)
                    except ConnectionError:
                        return "peer-closed"
                case _:
                    await self.wait(step)
        return "peer-closed" if isinstance(step, Stall) else "completed"

    async def send(self, send: Send) -> None:
        if send.tokens is not None:
            self.attempt.prompt_billed = self.prompt_tokens
            self.attempt.completion_billed += send.tokens
        self.connection.writer.write(send.data)
        self.attempt.bytes_out += len(send.data)
        self.attempt.chunks_out += is_chunk(send)
        self.changed()
        await self.connection.writer.drain()

    async def wait(self, step: Step) -> None:
        match step:
            case Pause(seconds):
                await self.connection.pause(seconds)
            case Stall():
                await self.connection.pause(None)
            case Hold():
                await self.wait_for_release(self.connection)
