"""Whom to ask: the cheapest backend that can answer, and why not the others."""

from collections.abc import Callable, Container
from enum import StrEnum
from math import ceil
from random import Random
from typing import NamedTuple

from routing.catalog import Backend, Catalog
from routing.chat import Features
from routing.counting import counted
from routing.health import OUT, State
from routing.lease import Member
from routing.tiers import Route

EXPECTED_OUTPUT_TOKENS = 500  # of an answer whose limit says nothing, or too much
DEGRADED_WEIGHT = 0.25
# A preferred backend may be this much slower: its prompt cache is worth something,
# but affinity without a bound piles everybody on one.
PREFERENCE = 2.0

PriceClass = tuple[Backend, ...]


class Block(StrEnum):
    """Why a backend can't be asked now."""

    SWITCHED_OFF = "switched off"
    MISCONFIGURED = "misconfigured"
    INCAPABLE = "incapable"
    TOO_LONG = "too long"
    DOWN = "down"
    RATE_LIMITED = "rate limited"
    SATURATED = "saturated"


class Candidate(NamedTuple):
    """A backend that was looked at. `retry_after` is in seconds, 0 when unknown."""

    backend: Backend
    reason: str
    block: Block | None = None
    retry_after: float = 0.0

    @property
    def usable(self) -> bool:
        return self.block is None


class Standing(NamedTuple):
    """How a backend stands now towards one request: `blocked` is why it can't be asked,
    `health` a word for people."""

    backend: Backend
    blocked: Candidate | None
    health: str
    in_flight: int


def tiers_to_try(catalog: Catalog, tier: int, route: Route) -> list[int]:
    """The chosen tier, then upwards, then downwards if the policy allows it."""
    ranks = [each.rank for each in catalog.tiers]
    order = [rank for rank in ranks if tier <= rank <= route.ceiling]
    if catalog.policy.allow_downgrade:
        order += [rank for rank in reversed(ranks) if route.floor <= rank < tier]
    return order


def expected_output(features: Features) -> int:
    """Tokens of an answer that nobody has seen yet."""
    return min(features.max_output or EXPECTED_OUTPUT_TOKENS, EXPECTED_OUTPUT_TOKENS)


def cheapest_first(
    classes: tuple[PriceClass, ...], features: Features
) -> tuple[PriceClass, ...] | list[PriceClass]:
    """Price classes by what this request will cost there; unpriced ones are last."""
    if len(classes) < 2:
        return classes
    output = expected_output(features)

    def expected_cost(backends: PriceClass) -> float:
        price = backends[0].price
        if price is None:
            return float("inf")
        price = price.of(features.prompt_tokens)
        return features.prompt_tokens * price.input + output * price.output

    return sorted(classes, key=expected_cost)


class Look:
    """One request's look at the pool at one moment.

    `panic`: nobody else is left, so that those who are down may be tried early.
    """

    def __init__(
        self,
        member_of: Callable[[Backend], Member],
        features: Features,
        exclude: Container[str],
        now: float,
        random: Random,
        panic: bool,
    ) -> None:
        self._member_of = member_of
        self._features = features
        self._exclude = exclude
        self._now = now
        self._random = random
        self._panic = panic
        self.passed: list[Candidate] = []  # those that can't be asked

    def best_of(self, backends: PriceClass, prefer: str) -> Backend | None:
        """The less loaded of two picked at random, of those that can be asked;
        the preferred one is one of the two.

        Load decides among equal prices only: it never makes a request dearer. Two
        are as good as looking at all, and don't send everyone to the same one.
        """
        left = list(backends)
        if prefer:
            left.sort(key=lambda backend: backend.name == prefer)  # looked at first
        best: Backend | None = None
        while left:
            if prefer and left[-1].name == prefer:
                picked = len(left) - 1
            else:
                picked = int(self._random.random() * len(left))
            left[picked], left[-1] = left[-1], left[picked]
            backend = left.pop()
            if backend.name in self._exclude:
                continue
            if blocked := self.blocked(backend):
                self.passed.append(blocked)
                continue
            if best is not None:
                return self._lighter(best, backend, prefer)
            best = backend
        return best

    def blocked(self, backend: Backend) -> Candidate | None:
        """Why it can't be asked, in the order of what an operator would mend first."""
        now, member = self._now, self._member_of(backend)
        health = member.health
        if off := switched_off(backend):
            return off
        if health.state is State.MISCONFIGURED:
            return Candidate(backend, health.reason, Block.MISCONFIGURED)
        if unable := unfit(backend, self._features):
            return unable
        if health.state in OUT and not health.trial_due(now, self._panic):
            wait = health.next_trial_in(now, self._panic)
            return Candidate(backend, f"Down: {health.reason}", Block.DOWN, wait)
        if (wait := health.rate_limited_until - now) > 0:
            reason = f"Rate limited for {pause(wait)}."
            return Candidate(backend, reason, Block.RATE_LIMITED, wait)
        if 0 < backend.max_in_flight <= member.in_flight:
            reason = f"All {backend.max_in_flight} places are taken."
            return Candidate(backend, reason, Block.SATURATED)
        return None

    def _lighter(self, one: Backend, other: Backend, prefer: str) -> Backend:
        """The one that should answer sooner; a trial that is due comes first."""
        first, second = self._member_of(one), self._member_of(other)
        if first.health.state in OUT:
            return one
        if second.health.state in OUT:
            return other
        now = self._now
        latency = first.health.latency.expected(now)
        others_latency = second.health.latency.expected(now)
        if latency is None or others_latency is None:
            latency = others_latency = 1.0  # nothing to compare but the load
        wait = (first.in_flight + 1) * latency / share_of(first)
        others_wait = (second.in_flight + 1) * others_latency / share_of(second)
        if one.name == prefer:
            wait /= PREFERENCE
        return one if wait <= others_wait else other


def switched_off(backend: Backend) -> Candidate | None:
    """Why its configuration keeps it from serving anybody."""
    if backend.state != "enabled":
        return Candidate(backend, f"It is {backend.state}.", Block.SWITCHED_OFF)
    if backend.misconfigured:
        return Candidate(backend, backend.misconfigured, Block.MISCONFIGURED)
    return None


def unfit(backend: Backend, features: Features) -> Candidate | None:
    """Why it could not serve such a request on its best day."""
    if backend.way_of(features.ways) is None:
        reason = f"It doesn't offer {' or '.join(features.ways)}."
        return Candidate(backend, reason, Block.INCAPABLE)
    if features.needs and (missing := features.needs & backend.cannot):
        reason = f"It can't do: {', '.join(sorted(missing))}."
        return Candidate(backend, reason, Block.INCAPABLE)
    if backend.context_window:
        output = features.max_output
        if backend.max_output_tokens is not None:
            output = min(output, backend.max_output_tokens)
        tokens = (features.longest or features.prompt_tokens) + output
        if tokens > backend.context_window:
            fit = counted(tokens, "token doesn't", "tokens don't")
            reason = f"{fit} fit into {backend.context_window:,}."
            return Candidate(backend, reason, Block.TOO_LONG)
    return None


def pause(seconds: float) -> str:
    """Never as nothing: it would be over."""
    return f"{seconds:.0f} s" if seconds >= 1 else f"{ceil(seconds * 1000)} ms"


def share_of(member: Member) -> float:
    """The part of the traffic that it should get."""
    degraded = member.health.state is State.DEGRADED
    return member.backend.weight * (DEGRADED_WEIGHT if degraded else 1.0)
