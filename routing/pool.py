"""The backends of this process: their health and load, and who is asked next."""

from collections.abc import Callable, Container
from functools import partial
from random import Random

from routing.candidates import (
    Candidate,
    Look,
    PriceClass,
    Standing,
    cheapest_first,
    tiers_to_try,
)
from routing.catalog import Backend, Catalog
from routing.chat import Features, Json
from routing.health import OUT, Health, Outcome, State, Transition
from routing.lease import Lease, Member
from routing.secret import Secret
from routing.tiers import Choice, Route

PROBE_AGAIN_SECONDS = 2.0
MISCONFIGURED_PROBE_SECONDS = 30.0
IDLE_PROBE_SECONDS = 120.0
# As names of their own: a member of an enumeration takes a while to look up.
MISCONFIGURED, DOWN, HALF_OPEN = State.MISCONFIGURED, State.DOWN, State.HALF_OPEN


class BackendPool:
    """Live numbers per backend name; they survive a change of configuration.

    `listener` hears of every change of a backend's state.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        random: Random,
        listener: Callable[[str, Transition], None] | None = None,
    ) -> None:
        self._clock = clock
        self._random = random
        self._listener = listener
        self._members: dict[str, Member] = {}
        self._configured: tuple[Backend, ...] = ()

    def sync(self, catalog: Catalog) -> None:
        """Take over a new configuration.

        A backend whose provider, address, model or key changed starts anew. One that
        was removed is forgotten when nothing is in flight there.
        """
        self._configured = catalog.backends
        for backend in catalog.backends:
            member = self._member_of(backend)
            if identity(member.backend) != identity(backend):
                member.health = self._new_health(backend)
                member.probe_asked_at = None
            member.backend = backend
        self._members = {
            name: member
            for name, member in self._members.items()
            if name in catalog.by_name or member.in_flight
        }

    def candidates(
        self,
        catalog: Catalog,
        choice: Choice,
        route: Route,
        features: Features,
        exclude: Container[str] = (),
        prefer: str = "",
    ) -> list[Candidate]:
        """The backend to ask, last, after those that were passed over for it.

        `prefer` is taken among backends of equal price unless it is much busier.
        All are passed over when none can answer now. After a failure ask again and
        exclude who failed; lease without awaiting in between.
        """
        now, passed = self._clock(), list[Candidate]()
        for panic in (False, True):
            look = Look(
                self._member_of, features, exclude, now, self._random, panic=panic
            )
            for tier in tiers_to_try(catalog, choice.tier, route):
                classes = allowed(catalog, tier, route)
                for backends in cheapest_first(classes, features):
                    if best := look.best_of(backends, prefer):
                        reason = self._why(best, choice, route)
                        return [*look.passed, Candidate(best, reason)]
            passed = look.passed
        return passed

    def blocked(self, backend: Backend, features: Features) -> Candidate | None:
        """Why such a request can't be sent to this backend now, or None."""
        now = self._clock()
        look = Look(self._member_of, features, (), now, self._random, panic=False)
        return look.blocked(backend)

    def out(self, catalog: Catalog) -> list[str]:
        """The backends that are down, limited or full now, also those that the request
        at hand would never have gone to."""
        now, members, found = self._clock(), self._members, list[str]()
        for backend in catalog.backends:
            # Each purchase comes by here: nothing is called for one that is well.
            if (member := members.get(backend.name)) is None:
                continue
            health, state = member.health, member.health.state
            if (
                state is MISCONFIGURED
                or ((state is DOWN or state is HALF_OPEN) and not health.trial_due(now))
                or health.rate_limited_until > now
                or 0 < backend.max_in_flight <= member.in_flight
            ):
                found.append(backend.name)
        return found

    def survey(self, catalog: Catalog, features: Features) -> list[Standing]:
        """How every backend stands towards such a request, in configured order."""
        now = self._clock()
        look = Look(self._member_of, features, (), now, self._random, panic=False)
        found = []
        for backend in catalog.backends:
            member = self._member_of(backend)
            health = member.health.status_for_people(now)
            blocked = look.blocked(backend)
            found.append(Standing(backend, blocked, health, member.in_flight))
        return found

    def lease(self, backend: Backend) -> Lease:
        """A place on a backend, for the time of a `with` block."""
        return Lease(backend, self._member_of(backend), self._clock)

    def due_probes(self, now: float) -> list[Backend]:
        """Backends that a request which costs nothing should look after now."""
        due = []
        for backend in self._configured:
            member = self._member_of(backend)
            if probe_due(member, now):
                member.probe_asked_at = now
                due.append(backend)
        return due

    def report_probe(self, backend: Backend, outcome: Outcome) -> None:
        member = self._members.get(backend.name)
        if not member or identity(member.backend) != identity(backend):
            return
        if member.health.probes_tell:
            member.health.record(outcome, self._clock(), trial=True)

    def history(self, name: str) -> list[Transition]:
        """The latest changes of a backend's state, oldest first."""
        member = self._members.get(name)
        return list(member.health.events) if member else []

    def status(self, catalog: Catalog) -> list[Json]:
        """`GET /v1/backends`: a row for each configured backend."""
        now = self._clock()
        return [
            row(backend, self._member_of(backend), now) for backend in catalog.backends
        ]

    def _member_of(self, backend: Backend) -> Member:
        # A request that began before a `sync` may still name a backend that is gone.
        member = self._members.get(backend.name)
        if member is None:
            member = Member(backend, self._new_health(backend))
            self._members[backend.name] = member
        return member

    def _new_health(self, backend: Backend) -> Health:
        listener = self._listener and partial(self._listener, backend.name)
        return Health(self._clock(), self._random, listener)

    def _why(self, best: Backend, choice: Choice, route: Route) -> str:
        if self._member_of(best).health.state in OUT:
            return "It was down; this request tries it again."
        if route.backend:
            return "The only one allowed."
        if best.tier > choice.tier:
            return f"Tier {best.tier}: nobody below can answer now."
        if best.tier < choice.tier:
            return f"Downgraded to tier {best.tier}: nobody above can answer now."
        return f"The cheapest of tier {best.tier} that can answer now."


def allowed(catalog: Catalog, tier: int, route: Route) -> tuple[PriceClass, ...]:
    """The price classes of a tier, with those backends only that the route allows."""
    if route.backend:
        return ((catalog.by_name[route.backend],),)
    classes = catalog.price_classes[tier]
    if not route.model:
        return classes
    kept = (tuple(b for b in each if b.model == route.model) for each in classes)
    return tuple(each for each in kept if each)


def identity(backend: Backend) -> tuple[str, str, str, Secret]:
    """What a backend's health is about."""
    return backend.provider, backend.base_url, backend.model, backend.api_key


def probe_due(member: Member, now: float) -> bool:
    backend, health = member.backend, member.health
    if backend.state == "disabled" or backend.misconfigured or not health.probes_tell:
        return False
    again = PROBE_AGAIN_SECONDS
    if health.state is State.MISCONFIGURED:
        again = MISCONFIGURED_PROBE_SECONDS
    if member.probe_asked_at is not None and now - member.probe_asked_at < again:
        return False
    if health.state is State.DOWN:
        return now >= health.down_until
    if health.state in (State.HEALTHY, State.DEGRADED):
        return now - health.last_outcome_at >= IDLE_PROBE_SECONDS
    return True


def row(backend: Backend, member: Member, now: float) -> Json:
    """The reference's five fields, then ours. Times are seconds from or until now."""
    health = member.health
    status, reason = health.status_for_people(now), health.reason
    if backend.misconfigured:
        status, reason = "misconfigured", backend.misconfigured
    if backend.state != "enabled":
        status = backend.state
    average = health.latency.average
    return {
        "name": backend.name,
        "status": status,
        "in_flight": member.in_flight,
        "latency_ms": None if average is None else round(average * 1000, 1),
        "total_requests": member.total_requests,
        "errors": member.errors,
        "tier": backend.tier,
        "provider": backend.provider,
        "model": backend.model,
        "state": health.state.value,
        "reason": reason,
        "since_seconds": round(now - health.since, 1),
        "rate_limited_seconds": round(max(0.0, health.rate_limited_until - now), 1),
        "next_trial_seconds": round(health.next_trial_in(now), 1),
    }
