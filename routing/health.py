"""Is a backend fit to be sent requests? A state machine fed with their outcomes.

    STARTING -> HEALTHY <-> DEGRADED -> DOWN -> HALF_OPEN -> HEALTHY
                                         ^---------'
    any -> MISCONFIGURED (the provider refuses our key) -> HEALTHY after a good probe

A model that its provider does not have is DOWN at once and until a call has worked: the
list of models, which probes ask for, would answer all the while.

Pure: the time is an argument, in monotonic seconds.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum
from random import Random

from routing.measures import Latency, Window

DEGRADED_SHARE = 0.2
RECOVERED_SHARE = 0.1
DOWN_SHARE = 0.5
DEGRADED_AFTER = 2  # failures in a row
DOWN_AFTER = 5
DOWN_AFTER_REFUSED = 2  # connections that failed in a row: nobody is there

FIRST_EJECTION_SECONDS = 5.0
LONGEST_EJECTION_SECONDS = 120.0
FORGIVEN_SECONDS = 120.0  # of good health take one doubling back
SUCCESSES_TO_RECOVER = 2
# For so long after its time a probe, which is free, may try before a request does.
PROBE_GRACE_SECONDS = 2.0
# When nothing else is left, a request may try this long after it was ejected.
PANIC_SECONDS = 5.0

LONGEST_COOL_DOWN_SECONDS = 120.0
LONGEST_GUESSED_COOL_DOWN_SECONDS = 60.0

EVENTS_KEPT = 50


class State(StrEnum):
    STARTING = "starting"
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    DOWN = "down"
    HALF_OPEN = "half_open"
    MISCONFIGURED = "misconfigured"


SERVING = frozenset({State.STARTING, State.HEALTHY, State.DEGRADED})
OUT = frozenset({State.DOWN, State.HALF_OPEN})


class Outcome(Enum):
    """How a call to a backend ended. A client's own errors and hang-ups never count."""

    OK = "ok"
    TIMEOUT = "timed out"
    CONNECT_ERROR = "could not be reached"
    SERVER_ERROR = "failed on the provider's side"
    BAD_RESPONSE = "gave an unusable answer"
    RATE_LIMITED = "was rate limited"
    AUTH = "refused the gateway's key"
    MODEL_MISSING = "does not have the model"
    CLIENT_ERROR = "refused the client's request"
    CLIENT_ABORT = "was left by the client"


FAILURES = frozenset(
    {
        Outcome.TIMEOUT,
        Outcome.CONNECT_ERROR,
        Outcome.SERVER_ERROR,
        Outcome.BAD_RESPONSE,
    }
)


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of state. `at` is in monotonic seconds."""

    old: State
    new: State
    reason: str
    at: float


class Health:
    """What is known about one backend with one configuration."""

    def __init__(
        self,
        now: float,
        random: Random,
        listener: Callable[[Transition], None] | None = None,
    ) -> None:
        self.state = State.STARTING
        self.since = now
        self.reason = ""
        self.last_outcome_at = now
        self.rate_limited_until = now
        self.down_until = now
        self.events: deque[Transition] = deque(maxlen=EVENTS_KEPT)
        self.latency = Latency()
        self._random = random
        self._listener = listener
        self._window = Window()
        self._failed_in_row = 0
        self._refused_in_row = 0
        self._rate_limited_in_row = 0
        self._ejections = 0
        self._ejected_at = now
        self._successes = 0
        self._trial_running = False
        self._model_missing = False

    # --- What happened ------------------------------------------------------------

    def record(
        self,
        outcome: Outcome,
        now: float,
        *,
        latency: float | None = None,
        retry_after: float | None = None,
        trial: bool = False,
    ) -> None:
        """Learn from a call. `trial`: it was sent to find out, as probes are.

        Of a backend that is out only trials count: other calls began before.
        """
        if outcome in (Outcome.CLIENT_ERROR, Outcome.CLIENT_ABORT):
            return
        self.last_outcome_at = now
        if outcome is Outcome.AUTH:
            self._move(State.MISCONFIGURED, "The provider refuses the key.", now)
        elif outcome is Outcome.RATE_LIMITED:
            self._cool_down(retry_after, now)
        elif outcome is Outcome.MODEL_MISSING:
            self._miss(outcome, now, trial)
        elif outcome is Outcome.OK:
            self._succeeded(latency, now, trial)
        else:
            self._failed(outcome, now, trial)

    def begin_trial(self, now: float) -> None:
        """One request goes to a backend that is out; `end_trial` must follow."""
        self._trial_running = True
        if self.state is State.DOWN:
            self._half_open(now)

    def end_trial(self) -> None:
        self._trial_running = False

    @property
    def probes_tell(self) -> bool:
        """Would the answer to a probe show whether requests can be answered?"""
        return not self._model_missing

    # --- What follows from it -----------------------------------------------------

    def trial_due(self, now: float, panic: bool = False) -> bool:
        """May one request try it? `panic`: no other backend is left to ask."""
        if self.state not in OUT or self._trial_running:
            return False
        return self.next_trial_in(now, panic) <= 0

    def next_trial_in(self, now: float, panic: bool = False) -> float:
        """Seconds until a request may try a backend that is down, else 0."""
        if self.state is not State.DOWN:
            return 0.0
        due = self.down_until + PROBE_GRACE_SECONDS
        if panic:
            due = min(self.down_until, self._ejected_at + PANIC_SECONDS)
        return max(0.0, due - now)

    def status_for_people(self, now: float) -> str:
        if self.state in SERVING and self.rate_limited_until > now:
            return "rate_limited"
        return "degraded" if self.state is State.HALF_OPEN else self.state.value

    # --- Transitions --------------------------------------------------------------

    def _succeeded(self, latency: float | None, now: float, trial: bool) -> None:
        if latency is not None:
            self.latency.add(latency, now)
        if self.state in SERVING:
            self._failed_in_row = self._refused_in_row = self._rate_limited_in_row = 0
            self._window.add(False, now)
            self._grade(now)
        elif trial and self.state is State.MISCONFIGURED:
            self._recover("The provider accepts the key again.", now)
        elif trial:
            self._model_missing = False
            self._half_open(now)
            self._successes += 1
            if self._successes >= SUCCESSES_TO_RECOVER:
                self._recover(f"{self._successes} trials succeeded.", now)

    def _miss(self, outcome: Outcome, now: float, trial: bool) -> None:
        if self.state in SERVING or (self.state in OUT and trial):
            self._model_missing = True
            self._eject(f"The provider {outcome.value}.", now)

    def _failed(self, outcome: Outcome, now: float, trial: bool) -> None:
        if self.state in OUT and trial:
            self._eject(f"The trial {outcome.value}.", now)
        if self.state not in SERVING:
            return
        self._window.add(True, now)
        self._failed_in_row += 1
        refused = outcome is Outcome.CONNECT_ERROR
        self._refused_in_row = self._refused_in_row + 1 if refused else 0
        if self._refused_in_row >= DOWN_AFTER_REFUSED:
            self._eject(f"{self._refused_in_row} connections in a row failed.", now)
        elif self._failed_in_row >= DOWN_AFTER:
            self._eject(
                f"{self._failed_in_row} calls in a row failed; the last one "
                f"{outcome.value}.",
                now,
            )
        elif self._window.failing(DOWN_SHARE):
            self._eject(f"{self._share_failed()}; the last one {outcome.value}.", now)
        else:
            self._grade(now)

    def _grade(self, now: float) -> None:
        """Healthy or degraded, with a gap between so that it doesn't flicker."""
        window = self._window
        if self._failed_in_row >= DEGRADED_AFTER:
            reason = f"{self._failed_in_row} calls in a row failed."
            self._move(State.DEGRADED, reason, now)
        elif window.failing(DEGRADED_SHARE):
            self._move(State.DEGRADED, f"{self._share_failed()}.", now)
        elif not self._failed_in_row and not window.failing(RECOVERED_SHARE):
            self._move(State.HEALTHY, "It answers.", now)

    def _share_failed(self) -> str:
        return f"{self._window.failures} of the last {self._window.calls} calls failed"

    def _eject(self, reason: str, now: float) -> None:
        """Take it out, each time for twice as long as the last time."""
        if self.state in SERVING:
            forgiven = max(0, int((now - self.down_until) // FORGIVEN_SECONDS))
            self._ejections = max(0, self._ejections - forgiven)
        doubled = FIRST_EJECTION_SECONDS * 2 ** min(self._ejections, 10)
        jitter = self._random.uniform(0.8, 1.2)
        self._ejections += 1
        self.down_until = now + min(doubled, LONGEST_EJECTION_SECONDS) * jitter
        self._ejected_at = now
        self._move(State.DOWN, reason, now)

    def _half_open(self, now: float) -> None:
        if self.state is State.DOWN:
            self._successes = 0
            self._move(State.HALF_OPEN, "It is being tried again.", now)

    def _recover(self, reason: str, now: float) -> None:
        self._window.clear()
        self._failed_in_row = self._refused_in_row = 0
        self._move(State.HEALTHY, reason, now)

    def _cool_down(self, retry_after: float | None, now: float) -> None:
        """Leave it alone as long as it asks, within reason; else guess, doubling."""
        guess = min(2.0**self._rate_limited_in_row, LONGEST_GUESSED_COOL_DOWN_SECONDS)
        self._rate_limited_in_row = min(self._rate_limited_in_row + 1, 10)
        seconds = guess * self._random.uniform(0.8, 1.2)
        if retry_after is not None and retry_after > 0:
            seconds = min(retry_after, LONGEST_COOL_DOWN_SECONDS)
        self.rate_limited_until = max(self.rate_limited_until, now + seconds)

    def _move(self, new: State, reason: str, now: float) -> None:
        old = self.state
        if new is old:
            return
        self.state, self.reason, self.since = new, reason, now
        transition = Transition(old, new, reason, now)
        self.events.append(transition)
        if self._listener:
            self._listener(transition)
