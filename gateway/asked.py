"""Remembers what was asked lately: who asks the same again was not content."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from gateway.ledger.books import NOT_OF_CLIENTS, RequestRecord
from routing.tiers import Route

SOON_SECONDS = 120.0
REMEMBERED = 5000  # requests, per process
ESCALATED = "The same was asked of a higher tier right after."
REPEATED = "The same was asked again right after."


@dataclass(slots=True)
class Earlier:
    request_id: str
    tier: int
    at: float
    times: int = 1


class Asked:
    """No text is kept: only hashes of a scope's last user messages."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: OrderedDict[int, Earlier] = OrderedDict()

    def again(
        self, record: RequestRecord, route: Route, tier: int
    ) -> tuple[str, str] | None:
        """The earlier request that this one casts doubt on, and why; or None."""
        from routing.learned.features import prompt_of  # numpy, while learning only

        if record.endpoint.startswith(NOT_OF_CLIENTS):
            return None
        chat = record.chat
        key = hash((chat.scope, len(chat.body["messages"]), prompt_of(chat.body).text))
        now = self._clock()
        earlier = self._seen.pop(key, None)
        if earlier is not None and now - earlier.at > SOON_SECONDS:
            earlier = None
        times = 1 + (earlier.times if earlier else 0)
        self._seen[key] = Earlier(chat.request_id, tier, now, times)
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        # Who asks a third time is a program that repeats itself, not a doubting person.
        if earlier is None or times > 2:
            return None
        if route.pinned:
            higher = route.floor > earlier.tier
            return (earlier.request_id, ESCALATED) if higher else None
        return earlier.request_id, REPEATED
