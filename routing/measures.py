"""Running measures of a backend, in constant space: failures and latency."""

from collections import deque

WINDOW_SECONDS = 60.0
SLOT_SECONDS = 5.0
MIN_CALLS = 10  # below this many, a share of failures says little

PAST_WEIGHT = 0.8  # of the average so far, when it is fresh
HALF_LIFE_SECONDS = 30.0


class Window:
    """Calls and failures of the last minute, in slots of five seconds."""

    def __init__(self) -> None:
        self.calls = 0
        self.failures = 0
        self._slots: deque[list[int]] = deque()  # [slot number, calls, failures]

    def add(self, failed: bool, now: float) -> None:
        slot = int(now // SLOT_SECONDS)
        expired = slot - int(WINDOW_SECONDS // SLOT_SECONDS)
        while self._slots and self._slots[0][0] <= expired:
            _, calls, failures = self._slots.popleft()
            self.calls -= calls
            self.failures -= failures
        if not self._slots or self._slots[-1][0] != slot:
            self._slots.append([slot, 0, 0])
        self._slots[-1][1] += 1
        self._slots[-1][2] += failed
        self.calls += 1
        self.failures += failed

    def failing(self, share: float) -> bool:
        """Did at least this share fail, of enough calls to say so?"""
        return self.calls >= MIN_CALLS and self.failures >= share * self.calls

    def clear(self) -> None:
        self._slots.clear()
        self.calls = self.failures = 0


class Latency:
    """A moving average of seconds to the first byte, whose past fades with time."""

    def __init__(self) -> None:
        self.average: float | None = None
        self._at = 0.0

    def add(self, seconds: float, now: float) -> None:
        past = self.average
        if past is None:
            self.average = seconds
        else:
            weight = PAST_WEIGHT * self._faded(now)
            self.average = weight * past + (1 - weight) * seconds
        self._at = now

    def expected(self, now: float) -> float | None:
        """What to reckon with, None when nothing is known.

        It shrinks while nobody asks, so that a backend which was slow gets another
        chance.
        """
        return None if self.average is None else self.average * self._faded(now)

    def _faded(self, now: float) -> float:
        return float(0.5 ** ((now - self._at) / HALF_LIFE_SECONDS))
