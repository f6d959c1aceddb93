"""Which tier should answer: the score, the operator's sidecar, the learned routers."""

from typing import TYPE_CHECKING

from gateway.ledger.books import TRIAL, RequestRecord
from gateway.order import Order
from gateway.runtime.runtime import Runtime
from routing.catalog import Policy
from routing.chat import Features
from routing.classifier import Score, classify
from routing.tiers import Choice, allowed_tiers, choose

if TYPE_CHECKING:  # it imports numpy, which an untrained gateway does without
    from routing.learned.brain import Brain


async def choose_tier(order: Order, features: Features, runtime: Runtime) -> Choice:
    """The tier that should answer; vectors have the one their model is in."""
    if order.record.chat.dialect == "vectors":
        return Choice(order.route.floor, order.route.reasons)
    score, choice = await decide(order, features, runtime)
    order.record.score = score.value
    return choice


async def decide(
    order: Order, features: Features, runtime: Runtime
) -> tuple[Score, Choice]:
    """Score the request and choose its tier, each with its reasons."""
    record, catalog = order.record, order.snapshot.catalog
    policy = catalog.policy
    score = classify(features)
    brain = catalog.brain and catalog.brain.of(record.chat.scope)
    trained = brain is not None and brain.router is not None
    record.decide(
        "score",
        f"Complexity {score.value} of 100, by the heuristic"
        + ("." if trained else ": no router is trained yet."),
        signals=[f"{s.name} +{s.points} ({s.reason})" for s in score.signals],
    )
    rate = await ask_sidecar(record, policy, runtime, trained=trained)
    choice = choose(score, order.route, catalog, rate)
    if brain is not None and brain.learning:
        record.doubted = runtime.asked.again(record, order.route, choice.tier)
    if brain is not None and rate is None and not order.route.pinned:
        choice = consult(brain, choice, score, order, features, runtime)
    for reason in choice.reasons[len(order.route.reasons) :]:
        record.decide("tier", reason)
    return score, choice


async def ask_sidecar(
    record: RequestRecord, policy: Policy, runtime: Runtime, *, trained: bool
) -> float | None:
    """What the operator's own classifier says, when there is one and it answers."""
    if not policy.sidecar_url:
        return None
    said = await runtime.sidecar.ask(
        policy.sidecar_url, record.chat.body, policy.sidecar_budget_seconds
    )
    if said.win_rate is not None:
        record.facts["rate"] = said.win_rate
        text = f"The sidecar gives the strong model a win rate of {said.win_rate:.3f}."
        record.decide("sidecar", text, source="sidecar", win_rate=said.win_rate)
        return said.win_rate
    source = "router" if trained else "heuristic"
    text = f"The sidecar decides nothing. {said.problem} The {source} decides alone."
    record.decide("sidecar", text, source=source)
    return None


def consult(
    brain: "Brain",
    choice: Choice,
    score: Score,
    order: Order,
    features: Features,
    runtime: Runtime,
) -> Choice:
    """What the learned routers make of the heuristic's choice."""
    record = order.record
    allowed = allowed_tiers(score, order.route, order.snapshot.catalog)
    proposal = brain.propose(
        record.chat.body, features, allowed, choice.tier, runtime.random
    )
    record.placed = proposal.placed
    if proposal.expected:
        record.facts |= {
            "router": proposal.facts["router"],
            "expected": proposal.expected,
        }
    if proposal.drawn is not None:
        record.facts["drawn"] = proposal.drawn
    if proposal.facts:
        text = proposal.reason or "The heuristic's choice stands."
        record.decide("router", text, **proposal.facts)
    if proposal.shadow is not None:
        version, tier = proposal.shadow["router"], proposal.shadow["tier"]
        text = f"Router {version}, which is watched, would choose tier {tier}."
        record.decide("shadow", text, **proposal.shadow)
    if proposal.tier is not None:
        reasons = (*order.route.reasons, proposal.reason)
        estimates = tuple(proposal.facts.get("tiers", ()))
        choice = Choice(proposal.tier, reasons, estimates)
    if proposal.lesson is not None and not record.endpoint.startswith(TRIAL):
        record.lesson = {**proposal.lesson, "tier": choice.tier}
    return choice
