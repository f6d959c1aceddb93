"""What killed processes had set aside where all workers count: it is settled when their
journals are replayed, before the books have what it came to. Counters are raised to the
books, so that the other way round it could count twice."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from django.db import transaction

from gateway.limits import in_database
from gateway.limits.counters import CountersDown, Inherited, Mark, Settlement
from gateway.limits.estates import Estates
from gateway.models import LimitHold
from routing.chat import Json

if TYPE_CHECKING:
    from gateway.limits.in_redis import RedisCounters
    from gateway.shared.link import Link
    from gateway.shared.seal import Seal

    Do = Callable[[RedisCounters], Coroutine[None, None, None]]

# Nobody waits for an answer: a start that is slower beats a hold that nobody settles.
REDIS_SECONDS = 5.0


class HeirOfHolds:
    """Settles, each hold once, unless the process that is gone has done so.

    While Redis is away the rest of what was set aside in it is an estate.
    """

    def __init__(self, redis_url: str | None, secret: str, estates: Estates) -> None:
        self._redis_url = redis_url
        self._secret = secret
        self._estates = estates

    def settle(self, journal: str, attempts: Iterable[Json]) -> None:
        """By their last lines in the journal; those without a hold are left out."""
        settlements = list(settlements_of(attempts))
        if not settlements:
            return
        with transaction.atomic():
            in_database.settle(settlements, void=False)
        self._in_redis(journal, lambda counters: counters.inherit(settlements))

    def give_back(self, journal: str) -> None:
        """What the process of this journal set aside for calls that it never made:
        a call has a line before it leaves."""
        with transaction.atomic():
            rows = LimitHold.objects.filter(owner=journal, void=False)
            left = [
                [Inherited(name, amount, row.hold) for name, amount, *_ in row.asides]
                for row in rows
            ]
            in_database.settle([(each, [0] * len(each)) for each in left], void=False)
        self._in_redis(journal, lambda counters: counters.give_back())

    def _in_redis(self, journal: str, do: "Do") -> None:
        """Unless it was away already: the books may have since what it didn't hear."""
        if not self._redis_url or journal in self._estates:
            return
        try:
            asyncio.run(self._do_in_redis(self._redis_url, journal, do))
        except CountersDown:
            self._estates.add(journal)

    async def _do_in_redis(self, url: str, journal: str, do: "Do") -> None:
        from gateway.shared.link import Link  # megabytes that few need
        from gateway.shared.seal import Seal

        link = Link(url, REDIS_SECONDS)
        try:
            await do(counters_of(journal, link, Seal(self._secret)))
        finally:
            await link.close()


def counters_of(journal: str, link: "Link", seal: "Seal") -> "RedisCounters":
    """As its heir uses them."""
    from gateway.limits.in_redis import RedisCounters

    return RedisCounters(link, seal, no_books, time.time, owner=journal)


def settlements_of(attempts: Iterable[Json]) -> Iterator[Settlement]:
    """Of those with a hold. One that the next version, rolled back since, wrote in its
    own way keeps no server from starting: it stands until its window ends."""
    for attempt in attempts:
        with suppress(KeyError, TypeError, ValueError):
            yield asides_of(attempt), spent_of(attempt)


def asides_of(attempt: Json) -> list[Inherited]:
    hold, marks = attempt["aside"]["hold"], attempt["aside"]["marks"]
    return [Inherited(name, amount, hold) for name, _, amount, *_ in marks]


def spent_of(attempt: Json) -> list[int]:
    """Nano-dollars or tokens, in the order of its marks."""
    tokens = attempt["prompt_tokens"] + attempt.get("completion_tokens", 0)
    kinds = [kind for _, kind, *_ in attempt["aside"]["marks"]]
    return [attempt["cost_nano"] if kind == "usd" else tokens for kind in kinds]


async def no_books(marks: Sequence[Mark]) -> dict[str, int]:
    return {}  # a settlement asks for none
