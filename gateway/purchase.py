"""Buying an answer: the right tier's backends, best first, until one answers."""

from collections.abc import Container
from functools import partial

from gateway import cascade, holdout
from gateway.cascade import Bench, D, Deliver
from gateway.deciding import choose_tier
from gateway.delivery import Delivery
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
from gateway.ledger.books import LOCAL_SCOPE, RequestRecord
from gateway.order import Order
from gateway.providers.http import ConnectionLost
from gateway.refusals import samples
from gateway.runtime.runtime import Runtime
from gateway.shared_call import SharedCall
from gateway.steering import Course, steer
from gateway.whatif import facts
from routing.candidates import Block, Candidate
from routing.catalog import Backend, Policy
from routing.chat import ChatRequest, Features
from routing.features import features_of
from routing.needs import place_of
from routing.tiers import Choice

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
    facts.note_demands(record, features)
    facts.note_switched_off(record, order.snapshot.catalog.switched_off)
    course = holdout.draw(order, course, runtime.random)
    if record.arm:
        runtime.reasks.note(record)
    record.tier = course.choice.tier
    runtime.retries.deposit()
    bench = Bench(order, features, runtime, buy_from, cascade.rules_for(order))
    drawn = record.arm == holdout.HOLDOUT
    if not drawn and (plan := cascade.plan_for(bench, course)):
        return await cascade.buy(call, plan, bench)
    await buy_from(bench, course, partial(Delivery, call=call))


async def buy_from(bench: Bench, course: Course, deliver: Deliver[D]) -> D:
    """Try backends until one answers; what `deliver` made of it."""
    order, features, runtime = bench.order, bench.features, bench.runtime
    record, policy = order.record, order.policy
    failed: dict[str, GatewayError] = {}
    again: Backend | None = None  # is asked once more, over a new connection
    sampling = samples(record.chat)  # a model may refuse to be told how
    thoughts = True  # the assistant's earlier ones, signed by the model that had them
    while True:
        backend = again or pick(order, course, features, failed, runtime)
        delivery = deliver(
            backend, order=order, features=features, runtime=runtime, thoughts=thoughts
        )
        try:
            await delivery.make(fresh=again is not None)
            return delivery
        except ConnectionLost as error:
            if again:
                failed[backend.name] = error
            again = None if again else backend
            continue
        except NotExpressible as error:
            # No attempt was made: another backend may speak what this one can't.
            failed[backend.name], again = error, None
            continue
        except UpstreamError as error:
            record.decide(
                "failure", f"{backend.name}: {error.message}", code=error.code
            )
            again = None
            if thoughts and isinstance(error, ThoughtRefused):
                thoughts, again = False, backend
                continue
            if sampling and isinstance(error, SamplingRefused):
                sampling, again = False, backend
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


def pick(
    order: Order,
    course: Course,
    features: Features,
    failed: dict[str, GatewayError],
    runtime: Runtime,
) -> Backend:
    """The best backend not yet tried. Raises the last failure when none is left."""
    out = runtime.pool.out(order.snapshot.catalog)
    facts.note_moment(order.record, out, list(failed))
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
    if isinstance(error, NotExpressible):
        name_field(error, order.record.chat, candidates, features)
    raise error


def name_field(
    error: NotExpressible,
    chat: ChatRequest,
    candidates: list[Candidate],
    features: Features,
) -> None:
    """Say which field of the request it was that nobody can honour."""
    if chat.beyond:
        error.param, reason = chat.beyond
        error.message = f"{error.param}: {reason} {error.message}"
        return
    lacks = [
        features.needs & each.backend.cannot
        for each in candidates
        if each.block is Block.INCAPABLE
    ]
    needs = frozenset.intersection(*lacks) or frozenset.union(*lacks)
    if param := place_of(needs, chat.body):
        error.param, error.message = param, f"{param}: {error.message}"


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
