"""Who asks the same again at once was not content with the answer.

A regeneration has the same last question, and so has a turn that repeats it. Only the
digests of texts are kept, for a minute, and only while a holdout measures.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from weakref import ReferenceType, ref

import orjson

from gateway.ledger.books import RequestRecord
from routing.chat import Json

AGAIN_SECONDS = 60.0
MOST = 10_000


@dataclass(frozen=True, slots=True)
class Asked:
    record: ReferenceType[RequestRecord]
    request_id: str
    at: float


class Reasks:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._asked: OrderedDict[bytes, Asked] = OrderedDict()

    def note(self, record: RequestRecord) -> None:
        """Remember this question; the earlier request that it asks again, when there is
        one whose answer was there, is noted on the record."""
        key, now = digest(record), self._clock()
        earlier = self._asked.pop(key, None)
        if earlier and now - earlier.at < AGAIN_SECONDS and ended(earlier):
            record.asks_again = earlier.request_id
        self._asked[key] = Asked(ref(record), record.chat.request_id, now)
        while len(self._asked) > MOST:
            self._asked.popitem(last=False)


def ended(asked: Asked) -> bool:
    record = asked.record()
    return record is None or record.closed


def digest(record: RequestRecord) -> bytes:
    caller = f"{record.caller.scope}\n{record.caller.key_id}\n".encode()
    last = orjson.dumps(last_question(record.chat.body["messages"]))
    return hashlib.blake2b(caller + last, digest_size=16).digest()


def last_question(messages: list[Json]) -> object:
    for message in reversed(messages):
        if message.get("role") == "user":
            return message.get("content")
    return None
