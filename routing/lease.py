"""A backend's live numbers, and the hold that one request has on it."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from routing.catalog import Backend
from routing.health import FAILURES, OUT, Health, Outcome

ERRORS = FAILURES | {Outcome.AUTH, Outcome.MODEL_MISSING}


class Member:
    """A backend as the pool knows it: its configuration, health and load."""

    __slots__ = (
        "backend",
        "health",
        "in_flight",
        "total_requests",
        "errors",
        "probe_asked_at",
    )

    def __init__(self, backend: Backend, health: Health) -> None:
        self.backend = backend
        self.health = health
        self.in_flight = 0
        self.total_requests = 0
        self.errors = 0
        self.probe_asked_at: float | None = None


class Lease:
    """One request on one backend, from `with` to its end.

    The first report counts, later ones are ignored; leaving without any means that
    the client left, which is never held against the backend. `latency` is seconds to
    the first byte.
    """

    __slots__ = ("backend", "trial", "_member", "_health", "_clock", "_reported")

    def __init__(
        self, backend: Backend, member: Member, clock: Callable[[], float]
    ) -> None:
        self.backend = backend
        self._member = member
        # A new configuration brings new health; this call tells only of the old one.
        self._health = member.health
        self.trial = self._health.state in OUT
        self._clock = clock
        self._reported = False
        member.in_flight += 1
        member.total_requests += 1
        if self.trial:
            self._health.begin_trial(clock())

    def report(
        self,
        outcome: Outcome,
        latency: float | None = None,
        retry_after: float | None = None,
    ) -> None:
        if self._reported:
            return
        self._reported = True
        if outcome in ERRORS:
            self._member.errors += 1
        self._health.record(
            outcome,
            self._clock(),
            latency=latency,
            retry_after=retry_after,
            trial=self.trial,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._member.in_flight -= 1
        if self.trial:
            self._health.end_trial()
        self.report(Outcome.CLIENT_ABORT)
