"""Who is told of what became of a request, for what is done beside the traffic."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.cache import CacheKeys, Entry, Hit
from gateway.ledger.books import RequestRecord
from routing.chat import Json


def ignore(*_: object) -> None: ...


@dataclass(frozen=True, slots=True)
class Listeners:
    """`reused` hears of hits that are stale or found by another wording, `bought` of
    answers that were stored (see aftercare.py), `answered` of each whole answer and its
    tier, from which can be learned (see pairs.py)."""

    reused: Callable[[Hit, RequestRecord], None] = ignore
    bought: Callable[[CacheKeys, Entry, RequestRecord], None] = ignore
    answered: Callable[[Json, int, RequestRecord], None] = ignore
