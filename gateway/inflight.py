"""Single flight: identical requests at the same time share one call to a provider.

    reader, reader, reader <- SharedCall <- task that buys the answer

The call belongs to its readers together, never to the one who came first: any of them
may leave, and only when the last one has left is the task cancelled (or, by policy,
drained for a while). Streams are shared from their beginning (shared_call.py).
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from gateway.errors import GatewayError, InternalError
from gateway.shared_call import Bounds, Reader, SharedCall

log = structlog.get_logger("inflight")


class InFlight:
    """The calls that can be joined, by sharing key."""

    def __init__(self) -> None:
        self._calls: dict[bytes, SharedCall] = {}
        self._tasks: dict[asyncio.Task[None], SharedCall] = {}
        self._lingering: set[SharedCall] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def calls(self) -> list[SharedCall]:
        return list(self._tasks.values())

    def join(
        self,
        key: bytes | None,
        bounds: Bounds,
        buy: Callable[[SharedCall], Awaitable[None]],
    ) -> tuple[Reader, bool]:
        """Read the call in flight under `key`, or start one with `buy`.

        Returns the reader and whether it started the call. None never shares.
        """
        call = self._calls.get(key) if key is not None else None
        if call and call.has_place:
            return call.read(), False
        call = SharedCall(bounds, self._lingering)
        reader = call.read()
        call.task = asyncio.get_running_loop().create_task(self._run(call, buy))
        self._tasks[call.task] = call
        if key is not None:
            self._calls[key] = call
        # Not in a `finally` of the task: one cancelled before its first step has none.
        call.task.add_done_callback(lambda task: self._forget(task, call, key))
        return reader, True

    def has_place(self, key: bytes | None) -> bool:
        """Would a reader with this key share a call?"""
        call = self._calls.get(key) if key is not None else None
        return call is not None and call.has_place

    def fail_all(self, error: GatewayError) -> None:
        """End every call: its readers get `error`, its provider is hung up on."""
        for task, call in list(self._tasks.items()):
            call.fail(error)
            task.cancel()

    async def close(self) -> None:
        """Cancel what is left and wait until its bookkeeping is done."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(
        self, call: SharedCall, buy: Callable[[SharedCall], Awaitable[None]]
    ) -> None:
        try:
            await buy(call)
        except GatewayError as error:
            call.fail(error)
        except Exception:  # a bug of ours: nobody may hang because of it
            log.exception("shared_call_failed")
            call.fail(InternalError("The gateway failed; its log has the details."))

    def _forget(
        self, task: asyncio.Task[None], call: SharedCall, key: bytes | None
    ) -> None:
        call.fail(InternalError("The call ended without an answer."))
        del self._tasks[task]
        # By identity: a newer call may have taken the key already.
        if key is not None and self._calls.get(key) is call:
            del self._calls[key]
