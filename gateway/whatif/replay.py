"""One request decided once more, by any configuration, from what is kept of it.

What a configuration says is applied anew: names and bounds, thresholds, the router's
target, prices, capabilities, the holdout's tier. What belonged to the moment stays as
it was: who was down or full, who failed, what chance drew, which of equals was picked,
what a check said of an answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from routing import vectors
from routing.affinity import Visit, weigh
from routing.candidates import cheapest_first, switched_off, tiers_to_try, unfit
from routing.cascade import Cascade, plan
from routing.catalog import Backend, Catalog, Policy
from routing.chat import ChatRequest, Features, Json
from routing.classifier import TOOLS_MIN_TIER, Score
from routing.pool import allowed
from routing.tiers import (
    Choice,
    PinNotAllowed,
    Route,
    UnknownModel,
    allowed_tiers,
    choose,
    lowest_from,
    resolve,
)


class Decision(NamedTuple):
    """Whom the request goes to; no backend where none may answer it. `checked`: the
    cascade looks at the answer first."""

    tier: int | None
    backend: Backend | None
    checked: bool = False


class Decided(NamedTuple):
    """A request as the log has it: what was decided, and the facts to do it again."""

    scope: str
    dialect: str
    model_asked: str
    score: int
    backend: str
    arm: str
    facts: Json
    features: Features


NOWHERE = Decision(None, None)


@dataclass
class Replay:
    """Decides by one catalog. Equal questions are answered once: there are few models,
    keys and scores, and many requests."""

    catalog: Catalog
    _restricted: dict[tuple[tuple[str, ...], str], Catalog] = field(
        default_factory=dict
    )
    _routes: dict[tuple[object, ...], Route | None] = field(default_factory=dict)
    _choices: dict[tuple[object, ...], Choice] = field(default_factory=dict)
    _tiers: dict[tuple[int, int, int], list[int]] = field(default_factory=dict)

    @property
    def policy(self) -> Policy:
        return self.catalog.policy

    def decide(self, asked: Decided) -> Decision:
        """The tier and backend of a request that some backend has answered."""
        facts = asked.facts
        catalog = self._seen_by(tuple(facts.get("models", ())), asked.scope)
        route = self._route(asked, catalog)
        if route is None:
            return NOWHERE
        return Course(self, asked, catalog, route, asked.features).decide()

    def _seen_by(self, models: tuple[str, ...], scope: str) -> Catalog:
        voted = scope if scope in self.catalog.voted else ""
        if not models and not voted:
            return self.catalog
        key = (models, voted)
        if key not in self._restricted:
            seen = self.catalog.only(models) if models else self.catalog
            self._restricted[key] = seen.of_scope(voted)
        return self._restricted[key]

    def _route(self, asked: Decided, catalog: Catalog) -> Route | None:
        told = asked.facts.get
        bounds = told("pin"), told("min_tier"), told("max_tier")
        key = (id(catalog), asked.dialect == "vectors", asked.model_asked, bounds)
        if key not in self._routes:
            self._routes[key] = route_of(asked, catalog)
        return self._routes[key]

    def tiers(self, catalog: Catalog, tier: int, route: Route) -> list[int]:
        key = (id(catalog), tier, id(route))
        if key not in self._tiers:
            self._tiers[key] = tiers_to_try(catalog, tier, route)
        return self._tiers[key]

    def choice(
        self, score: Score, route: Route, catalog: Catalog, rate: float | None
    ) -> Choice:
        if rate is not None:  # hardly the same twice
            return choose(score, route, catalog, rate)
        key = (id(catalog), id(route), score.value, score.min_tier)
        if key not in self._choices:
            self._choices[key] = choose(score, route, catalog)
        return self._choices[key]


@dataclass(slots=True)
class Course:
    """The way of one request, in the order of gateway.purchase."""

    replay: Replay
    asked: Decided
    catalog: Catalog
    route: Route
    features: Features

    def decide(self) -> Decision:
        if self.asked.dialect == "vectors":
            return self._pick(Choice(self.route.floor, ()))
        score = Score(
            self.asked.score, (), TOOLS_MIN_TIER if self.features.tools else 1
        )
        rate = self.asked.facts.get("rate") if self.catalog.policy.sidecar_url else None
        choice = self.replay.choice(score, self.route, self.catalog, rate)
        if rate is None and not self.route.pinned:
            choice = self._routed(choice, score)
        choice = self._held(choice)
        stay = self._stay(choice)
        if self.asked.arm == "holdout":
            choice, stay = Choice(self.catalog.baseline_tier, ()), None
        elif planned := self._cascade(choice, score, stay):
            return self._pick(Choice(planned, ()))._replace(checked=True)
        return self._pick(choice, stay)

    def _routed(self, choice: Choice, score: Score) -> Choice:
        """What the learned router makes of it, and where chance had sent it."""
        facts, brain = self.asked.facts, self.catalog.brain
        if brain is None:
            return choice
        own = brain.of(self.asked.scope)
        tiers = allowed_tiers(score, self.route, self.catalog)
        router, drawn = own.router, facts.get("drawn")
        if router and router.version == facts.get("router"):
            estimates = router.estimate(dict(facts["expected"]), self.features)
            best = router.decide(estimates, tiers)
            if best is not None:
                shown = tuple(each.facts() for each in estimates)
                choice = Choice(best, (), shown)
        if drawn in tiers and own.learning:
            choice = Choice(drawn, (), choice.estimates)
        return choice

    def _held(self, choice: Choice) -> Choice:
        """An open tool loop doesn't go down."""
        loop = self.asked.facts.get("loop")
        if loop is None:
            return choice
        tier = lowest_from(loop, self.catalog) or self.route.ceiling
        floor = min(tier, self.route.ceiling)
        return Choice(floor, ()) if floor > choice.tier else choice

    def _stay(self, choice: Choice) -> Backend | None:
        """The backend of a conversation whose prompt cache is worth more than what
        another one would save."""
        if "visit" not in self.asked.facts:
            return None
        name, warm, calls, writes = self.asked.facts["visit"]
        here = self.catalog.by_name.get(name)
        if here is None or not choice.tier <= here.tier <= self.route.ceiling:
            return None
        there = self._pick(choice).backend
        if not warm or there is None or there is here:
            return None
        if here.price is None or there.price is None:
            return None
        if there.tier == here.tier and there.price.amounts == here.price.amounts:
            return None
        visit = Visit(name, here.tier, 0, int(writes), 0.0)
        balance = weigh(visit, here.price, there.price, self.features, warm, calls)
        return here if balance.stays else None

    def _cascade(
        self, choice: Choice, score: Score, stay: Backend | None
    ) -> int | None:
        """The tier whose answer was served when a cheaper one's was looked at."""
        facts, policy = self.asked.facts, self.catalog.policy
        if self.catalog.cascades and "intent" in facts:
            policy = self.catalog.cascades.rules(facts["intent"], policy)
        if "cascade" not in facts or policy.cascade == "none" or stay:
            return None
        first, then, went_up = facts["cascade"]
        tiers = allowed_tiers(score, self.route, self.catalog)
        only_up = facts.get("only_up", False)
        planned: Cascade | None = plan(
            choice, score, tiers, self.catalog, only_up=only_up
        )
        if planned is None:
            return None
        same = (planned.first, planned.then) == (first, then)
        return planned.then if same and went_up else planned.first

    def _pick(self, choice: Choice, stay: Backend | None = None) -> Decision:
        """Whom the pool would ask, those aside who could not answer then."""
        gone = self._gone()
        if stay and stay.name not in gone and self._fits(stay):
            return Decision(stay.tier, stay)
        for tier in self.replay.tiers(self.catalog, choice.tier, self.route):
            classes = allowed(self.catalog, tier, self.route)
            for backends in cheapest_first(classes, self.features):
                if found := self._one_of(backends, gone):
                    return Decision(tier, found)
        return NOWHERE

    def _gone(self) -> Sequence[str]:
        facts = self.asked.facts
        out = facts.get("out", ())
        return (*out, *facts.get("failed", ())) if out or "failed" in facts else ()

    def _one_of(
        self, backends: Sequence[Backend], gone: Sequence[str]
    ) -> Backend | None:
        """Of equals the one that was asked then, else the first that could be."""
        other: Backend | None = None
        for backend in backends:
            if not self._fits(backend):
                continue
            if backend.name == self.asked.backend:
                return backend
            if other is None and backend.name not in gone:
                other = backend
        return other

    def _fits(self, backend: Backend) -> bool:
        return not (switched_off(backend) or unfit(backend, self.features))


def route_of(asked: Decided, catalog: Catalog) -> Route | None:
    """What the name and the bounds mean; None where they are refused."""
    facts = asked.facts
    chat = ChatRequest(
        body={},
        scope=asked.scope,
        request_id="",
        model=asked.model_asked,
        pin=facts.get("pin", ""),
        min_tier=facts.get("min_tier"),
        max_tier=facts.get("max_tier"),
    )
    find = vectors.resolve if asked.dialect == "vectors" else resolve
    try:
        return find(chat, catalog)
    except (UnknownModel, PinNotAllowed):
        return None


def features_of(facts: Json) -> Features:
    return Features(
        prompt_tokens=facts.get("tokens", 0),
        longest=facts.get("longest", 0),
        max_output=facts.get("output", 0),
        tools=facts.get("tools", 0),
        needs=frozenset(facts.get("needs", ())),
        ways=tuple(facts.get("ways", ("chat",))),
    )
