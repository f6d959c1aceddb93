"""What the runs of one batch share: an answer that several of them need is one call."""

import asyncio
import hashlib

import orjson

from routing.catalog import Policy
from routing.chat import Json
from workflows_app.call import Said
from workflows_app.definition import Op


class Memo:
    """Answers by request, for as long as runs of the batch are under way here."""

    def __init__(self) -> None:
        self._calls: dict[bytes, asyncio.Future[Said]] = {}

    def claim(self, key: bytes) -> "asyncio.Future[Said] | None":
        """The call that somebody makes or made, or None: make it, and tell."""
        if call := self._calls.get(key):
            return call
        self._calls[key] = asyncio.get_running_loop().create_future()
        return None

    def tell(self, key: bytes, said: Said) -> None:
        self._calls[key].set_result(said)

    def fail(self, key: bytes) -> None:
        """Whoever waited makes the call for themselves."""
        self._calls.pop(key).cancel()


def key_of(op: Op, body: Json, policy: Policy) -> bytes | None:
    """Equal for requests that may have one answer; None for those that may not."""
    if op.samples > 1 or op.dedupe is False or op.cache == "off":
        return None
    sampled = (op.temperature or 0) > policy.cache_max_temperature
    if sampled and op.dedupe is not True:
        return None
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).digest()
