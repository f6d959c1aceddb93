"""Buying an answer: the right tier's backends, best first, until one answers."""

from collections.abc import Container
from functools import partial
from typing import TYPE_CHECKING

from gateway import cascade, holdout
from gateway.cascade import Bench, D, Deliver
from gateway.delivery import Delivery, Order
from gateway.errors import (
    ContextTooLong,
    GatewayError,
    NotExpressible,
    SamplingRefused,
    ThoughtRefused,
    UpstreamError,
    UpstreamRateLimited,
    UpstreamRefused,
    UpstreamUnavailable,
)
from gateway.guiding import guided
from gateway.inflight import SharedCall
from gateway.ledger.books import LOCAL_SCOPE, RequestRecord
from gateway.providers.http import ConnectionLost
from gateway.refusals import samples
from gateway.runtime.runtime import Runtime
from gateway.steering import Course, steer
from routing.candidates import Block, Candidate
from routing.catalog import Backend, Policy
from routing.chat import Features
from routing.classifier import Score, classify
from routing.features import features_of
from routing.tiers import Choice, allowed_tiers, choose

if TYPE_CHECKING:  # it imports numpy, which an untrained gateway does without
    from routing.learned.brain import Brain

STAYS = "It has the conversation in its prompt cache."
RETRY_SECONDS = 5.0  # when nobody knows better
PRIVATE = {Block.MISCONFIGURED, Block.DOWN}
WORSE_THAN_A_LIMIT = {Block.DOWN, Block.MISCONFIGURED, Block.SWITCHED_OFF}


async def buy_answer(call: SharedCall, order: Order, runtime: Runtime) -> None:
    """Buy where it was decided, or in doubt at a cheaper tier first; the call's
    readers hear of it as it happens."""
    record = order.record
    features = features_of(record.chat)
    choice = await choose_tier(order, features, runtime)
    course = await steer(order, choice, features, runtime)
    course = guided(course, order, features, runtime.random)
    if order.policy.holdout_share and record.chat.dialect != "vectors":
        course = holdout.draw(order, course, runtime.random)
        if record.arm:
            runtime.reasks.note(record)
    record.tier = course.choice.tier
    runtime.retries.deposit()
    bench = Bench(order, features, runtime, buy_from)
    drawn = record.arm == holdout.HOLDOUT
    if not drawn and (plan := cascade.plan_for(bench, course)):
        return await cascade.buy(call, plan, bench)
    await buy_from(bench, course, partial(Delivery, call=call))


async def buy_from(bench: Bench, course: Course, deliver: Deliver[D]) -> D:
    """Try backends until one answers; what `deliver` made of it."""
    order, features, runtime = bench.order, bench.features, bench.runtime
    record, policy = order.record, order.policy
    failed: dict[str, GatewayError] = {}
    again = ""  # the backend that is asked once more, over a new connection
    sampling = samples(record.chat)  # a model may refuse to be told how
    thoughts = True  # the assistant's earlier ones, signed by the model that had them
    while True:
        backend = again and order.snapshot.catalog.by_name[again]
        backend = backend or pick(order, course, features, failed, runtime)
        delivery = deliver(
            backend, order=order, features=features, runtime=runtime, thoughts=thoughts
        )
        try:
            await delivery.make(fresh=bool(again))
            return delivery
        except ConnectionLost as error:
            if again:
                failed[backend.name] = error
            again = "" if again else backend.name
            continue
        except NotExpressible as error:
            # No attempt was made: another backend may speak what this one can't.
            failed[backend.name] = error
            continue
        except UpstreamError as error:
            record.decide(
                "failure", f"{backend.name}: {error.message}", code=error.code
            )
            again = ""
            if thoughts and isinstance(error, ThoughtRefused):
                thoughts, again = False, backend.name
                continue
            if sampling and isinstance(error, SamplingRefused):
                sampling, again = False, backend.name
                runtime.refusals.note(backend)
                continue
            failed[backend.name] = error
            shown = delivery.call.outcome is not None
            if shown or not may_fail_over(error, policy):
                raise
            if record.chat.one_bill and error.billable:
                raise
        check_retry(record, failed, policy, runtime)


def may_fail_over(error: UpstreamError, policy: Policy) -> bool:
    """Not when the request itself is wrong, nor when it might be paid twice."""
    if isinstance(error, UpstreamRefused):
        return False
    return error.failover or policy.retry_ambiguous


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
    if brain.router and "best" in proposal.facts and allowed == brain.router.tiers:
        tiers = proposal.facts["tiers"]
        gain = tiers[-1]["quality"] - tiers[0]["quality"]
        runtime.drift.note(brain.router, gain, proposal.facts["best"])
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
    if proposal.lesson is not None:
        record.lesson = {**proposal.lesson, "tier": choice.tier}
    return choice


def pick(
    order: Order,
    course: Course,
    features: Features,
    failed: dict[str, GatewayError],
    runtime: Runtime,
) -> Backend:
    """The best backend not yet tried. Raises the last failure when none is left."""
    if backend := staying(order, course, features, failed, runtime):
        order.record.decide("backend", f"{backend.name}: {STAYS}")
        return backend
    choice = course.choice
    candidates = runtime.pool.candidates(
        order.snapshot.catalog, choice, order.route, features, failed, course.prefer
    )
    if candidates and candidates[-1].usable:
        *others, best = candidates
        text = f"{best.backend.name}: {best.reason}"
        order.record.decide("backend", text, **passed_over(others))
        return best.backend
    if failed:
        raise list(failed.values())[-1]
    own_machine = order.record.caller.scope == LOCAL_SCOPE
    error = nobody_left(candidates, choice, in_detail=own_machine)
    if isinstance(error, NotExpressible) and order.record.chat.beyond:
        error.param, reason = order.record.chat.beyond
        error.message = f"{error.param}: {reason} {error.message}"
    raise error


def staying(
    order: Order,
    course: Course,
    features: Features,
    failed: Container[str],
    runtime: Runtime,
) -> Backend | None:
    """The backend that the conversation stays at, while that can be asked."""
    if not course.stay or course.stay in failed:
        return None
    backend = order.snapshot.catalog.by_name[course.stay]
    return None if runtime.pool.blocked(backend, features) else backend


def check_retry(
    record: RequestRecord,
    failed: dict[str, GatewayError],
    policy: Policy,
    runtime: Runtime,
) -> None:
    """Raise the last failure when the request or the gateway has tried enough."""
    if record.attempts < policy.max_attempts and runtime.retries.allow():
        return
    record.decide("retry", "No further backend is tried: the retry budget is used up.")
    raise list(failed.values())[-1]


def passed_over(others: list[Candidate]) -> dict[str, list[str]]:
    """The backends that were not asked, each with its reason."""
    reasons = [f"{other.backend.name}: {other.reason}" for other in others]
    return {"passed_over": reasons} if reasons else {}


def nobody_left(
    candidates: list[Candidate], choice: Choice, *, in_detail: bool
) -> GatewayError:
    """Why no backend can be asked: the request's fault, a limit's, or theirs.

    `in_detail` names what is misconfigured, which is not every client's business.
    """
    reasons = "; ".join(
        f"{each.backend.name}: "
        + (each.reason if in_detail or each.block not in PRIVATE else f"{each.block}.")
        for each in candidates[:10]
    )
    message = f"No backend of tier {choice.tier} or above can answer: {reasons}"
    if not candidates:
        return UpstreamUnavailable("No backend is configured.", retry_after=30)
    blocks = {candidate.block for candidate in candidates}
    if blocks <= {Block.INCAPABLE, Block.TOO_LONG}:
        if Block.INCAPABLE in blocks:
            return NotExpressible(message)
        return ContextTooLong(message, param="messages")
    waits = [c.retry_after for c in candidates if c.retry_after > 0]
    wait = min(waits, default=RETRY_SECONDS)
    if Block.RATE_LIMITED in blocks and not blocks & WORSE_THAN_A_LIMIT:
        return UpstreamRateLimited(message, retry_after=wait)
    return UpstreamUnavailable(message, retry_after=wait)
