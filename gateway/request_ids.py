"""Ids of requests: the time first, then chance.

Neighbours in time have ids that lie together, so the indexes by them grow in one place.
With ids of chance alone each new row dirtied another page of each index, and the
database wrote four to seven times as much.
"""

import os
import time
from collections.abc import Callable

TICKS_PER_SECOND = 256
CHANCE_BYTES = 7
DRAWN_AT_ONCE = 256
TOLD_APART_BY = 8  # digits, from the end


class RequestIds:
    """Draws ids; chance comes from few and large reads of the system's source."""

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._chances: list[str] = []

    def draw(self) -> str:
        if not self._chances:
            self._chances = chances(DRAWN_AT_ONCE)
        return request_id(self._wall(), self._chances.pop())


def new_request_id() -> str:
    """For one that no client sent, or that is of a page."""
    return request_id(time.time(), *chances(1))


def chances(count: int) -> list[str]:
    digits, size = os.urandom(count * CHANCE_BYTES).hex(), 2 * CHANCE_BYTES
    return [digits[at : at + size] for at in range(0, len(digits), size)]


def request_id(wall: float, chance: str) -> str:
    # Ten digits of time last until 2106.
    return f"req_{int(wall * TICKS_PER_SECOND):010x}{chance}"


def shortened(request_id: str) -> str:
    """Where there is little room: what differs from its neighbours is at the end."""
    return f"…{request_id[-TOLD_APART_BY:]}"
