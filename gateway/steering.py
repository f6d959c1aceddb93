"""Where a conversation that goes on is answered next: beside the router's choice, what
its last call says."""

from dataclasses import dataclass, replace

from gateway.conversations import key_of
from gateway.order import Order
from gateway.runtime.runtime import Runtime
from routing.affinity import (
    Visit,
    answers_in,
    loop_is_open,
    warm_tokens,
    weigh,
)
from routing.candidates import Candidate
from routing.catalog import Backend
from routing.chat import Features
from routing.tiers import Choice, lowest_from


@dataclass(frozen=True, slots=True)
class Course:
    """The tier, and the backend that is preferred among equals. `stay` is the backend
    to ask before any other while it can be asked, or ""."""

    choice: Choice
    prefer: str
    stay: str = ""


async def steer(
    order: Order, choice: Choice, features: Features, runtime: Runtime
) -> Course:
    """Keep a tool loop at its tier, and a warm prompt cache while that pays."""
    record, chat = order.record, order.record.chat
    record.conversation = key_of(chat)
    if record.conversation is None:
        return Course(choice, chat.prefer)
    visit = await runtime.conversations.recall(record.conversation)
    if visit is None:
        return Course(choice, chat.prefer)
    course = Course(choice, chat.prefer or visit.backend)
    if order.route.pinned or chat.prefer:
        return course
    if loop_is_open(chat.body["messages"]):
        record.facts["loop"] = visit.tier
        course = replace(course, choice=held(order, choice, visit))
    return weighed(order, course, visit, features, runtime)


def held(order: Order, choice: Choice, visit: Visit) -> Choice:
    """Not below the tier that called the tools, as far as the request may go up."""
    tier = lowest_from(visit.tier, order.snapshot.catalog)
    floor = min(tier or order.route.ceiling, order.route.ceiling)
    if floor <= choice.tier:
        return choice
    reason = f"A tool loop is open: it stays at tier {floor}."
    order.record.decide("session", reason)
    return Choice(floor, (*choice.reasons, reason))


def weighed(
    order: Order, course: Course, visit: Visit, features: Features, runtime: Runtime
) -> Course:
    """Whether it stays where it is although another backend is cheaper."""
    record, choice = order.record, course.choice
    here = order.snapshot.catalog.by_name.get(visit.backend)
    if here is None or not choice.tier <= here.tier <= order.route.ceiling:
        return course
    if away := runtime.pool.blocked(here, features):
        record.decide("session", f"It leaves {here.name}. {away.reason}")
        return course
    calls = answers_in(record.chat.body["messages"])
    warm = warm_tokens(visit, features, runtime.books.wall())
    record.facts["visit"] = [here.name, warm, calls, visit.written > 0]
    there = cheapest(order, course, features, runtime)
    if there is None or there is here or there.price is None or here.price is None:
        return course
    if there.tier == here.tier and there.price.amounts == here.price.amounts:
        return course  # equals: the pool prefers the one before, unless it is busy
    if not warm:
        text = f"Nothing of it is known to be in the prompt cache of {here.name}."
        record.decide("session", text)
        return course
    balance = weigh(visit, here.price, there.price, features, warm, calls)
    verb = "stays there" if balance.stays else f"goes to {there.name}"
    record.decide(
        "session",
        f"{warm} tokens of it are in the prompt cache of {here.name}: it {verb}.",
        backend=here.name,
        cheaper=there.name,
        **balance.facts(),
    )
    # The choice stands for the case that it can't be asked, or fails.
    return replace(course, stay=here.name) if balance.stays else course


def cheapest(
    order: Order, course: Course, features: Features, runtime: Runtime
) -> Backend | None:
    """Whom the pool would ask."""
    found: list[Candidate] = runtime.pool.candidates(
        order.snapshot.catalog,
        course.choice,
        order.route,
        features,
        prefer=course.prefer,
    )
    return found[-1].backend if found and found[-1].usable else None
