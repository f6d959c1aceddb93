"""What killed processes had set aside where all workers count: it is settled when their
journals are replayed, before the books have what it came to. Counters are raised to the
books, so that the other way round it could count twice."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db import transaction

from gateway.limits import in_database
from gateway.limits.counters import Mark
from gateway.models import LimitHold
from routing.chat import Json

# Nobody waits for an answer: a start that is slower beats a hold that nobody settles.
REDIS_SECONDS = 5.0


class Inherited(NamedTuple):
    """What a process that is gone had set aside in one counter."""

    name: str
    amount: int
    hold: str


class HeirOfHolds:
    """Settles, each hold once, unless the process that is gone has done so.

    While Redis is away what was set aside in it stands until its window ends: too much
    is counted, never too little.
    """

    def __init__(self, redis_url: str | None, secret: str) -> None:
        self._redis_url = redis_url
        self._secret = secret

    def give_back(self, journal: str) -> None:
        """What the process of this journal set aside for calls that it never made:
        a call has a line before it leaves."""
        with transaction.atomic():
            rows = LimitHold.objects.filter(owner=journal, void=False)
            left = [
                [Inherited(name, amount, row.hold) for name, amount in row.asides]
                for row in rows
            ]
            in_database.settle([(each, [0] * len(each)) for each in left], void=False)

    def settle(self, attempts: Iterable[Json]) -> None:
        """By their last lines in the journal; those without a hold are left out."""
        left = [attempt for attempt in attempts if "aside" in attempt]
        if not left:
            return
        with transaction.atomic():
            settlements = [(asides_of(each), spent_of(each)) for each in left]
            in_database.settle(settlements, void=False)
        if self._redis_url:
            asyncio.run(self._settle_in_redis(left, self._redis_url))

    async def _settle_in_redis(self, attempts: Sequence[Json], url: str) -> None:
        from gateway.limits.in_redis import RedisCounters  # megabytes that few need
        from gateway.shared.link import Link
        from gateway.shared.seal import Seal

        link = Link(url, REDIS_SECONDS)
        counters = RedisCounters(link, Seal(self._secret), no_books, time.time)
        for attempt in attempts:
            counters.inherit(asides_of(attempt), spent_of(attempt))
        await counters.close()
        await link.close()


def asides_of(attempt: Json) -> list[Inherited]:
    hold, marks = attempt["aside"]["hold"], attempt["aside"]["marks"]
    return [Inherited(name, amount, hold) for name, _, amount in marks]


def spent_of(attempt: Json) -> list[int]:
    """Nano-dollars or tokens, in the order of its marks."""
    tokens = attempt["prompt_tokens"] + attempt.get("completion_tokens", 0)
    kinds = [kind for _, kind, _ in attempt["aside"]["marks"]]
    return [attempt["cost_nano"] if kind == "usd" else tokens for kind in kinds]


async def no_books(marks: Sequence[Mark]) -> dict[str, int]:
    return {}  # a settlement asks for none
