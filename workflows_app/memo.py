"""What the runs of one batch share: an answer that several of them need is one call."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace

import orjson

from routing.catalog import Policy
from routing.chat import Json, Usage
from workflows_app.call import Said
from workflows_app.definition import Op

Make = Callable[[], Awaitable[Said]]
Made = tuple[Said, bool]  # and whether the call was made just now, by who asks


class Memo:
    """Answers by request, for as long as runs of the batch are under way here."""

    def __init__(self) -> None:
        self._calls: dict[bytes, asyncio.Future[Said]] = {}

    async def once(self, key: bytes, make: Callable[[], Awaitable[Made]]) -> Made:
        """What somebody here has heard or hears to the same request; else `make` it."""
        while known := self._calls.get(key):
            try:
                return shared(await asyncio.shield(known)), False
            except asyncio.CancelledError:
                if known.cancelled() and not leaving():
                    continue  # who made the call failed; it is ours to make now
                raise
        call = self._calls[key] = asyncio.get_running_loop().create_future()
        try:
            said, made = await make()
        except BaseException:
            del self._calls[key]
            call.cancel()
            raise
        call.set_result(said)
        return said, made


def shared(said: Said) -> Said:
    """As another run of the batch sees it: its answer, and no cost."""
    return replace(said, cost_nano=0, usage=Usage(), request_id="", cache="SHARED")


def leaving() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def key_of(op: Op, body: Json, policy: Policy, unfit: int = 0) -> bytes | None:
    """Equal for requests that may have one answer; None for those that may not. After
    an answer that would not do, the same request is another one."""
    if op.samples > 1 or op.dedupe is False or op.cache == "off":
        return None
    sampled = (op.temperature or 0) > policy.cache_max_temperature
    if sampled and op.dedupe is not True:
        return None
    asked = orjson.dumps([body, unfit], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(asked).digest()
