"""A share of the routed requests goes to the baseline tier, drawn at random: what those
cost is measured, where the savings of all others can only be priced again."""

from dataclasses import replace
from random import Random

from gateway.ledger.books import NOT_OF_CLIENTS
from gateway.order import Order
from gateway.steering import Course
from routing.affinity import loop_is_open
from routing.catalog import Catalog
from routing.tiers import Choice

ROUTED, HOLDOUT = "routed", "holdout"


def draw(order: Order, course: Course, random: Random) -> Course:
    """The course, or the baseline's. Both groups are noted on the request, and hold
    only requests that could have come into either."""
    record, catalog = order.record, order.snapshot.catalog
    share = catalog.policy.holdout_share
    if not share or not eligible(order, course, catalog):
        return course
    if random.random() >= share:
        record.arm = ROUTED
        return course
    record.arm = HOLDOUT
    record.lesson = None  # no router has chosen here
    tier = catalog.baseline_tier
    reason = (
        f"Drawn for the holdout of {share:.1%}: the baseline, tier {tier}, answers."
    )
    record.decide("holdout", reason, instead_of=course.choice.tier)
    return replace(course, choice=Choice(tier, (*order.route.reasons, reason)), stay="")


def eligible(order: Order, course: Course, catalog: Catalog) -> bool:
    """Was the tier the router's to choose, the baseline among them?"""
    record, route = order.record, order.route
    return (
        record.chat.dialect != "vectors"
        and not route.pinned
        and route.floor <= catalog.baseline_tier <= route.ceiling
        and not course.stay
        and not record.endpoint.startswith(NOT_OF_CLIENTS)
        and not record.caller.models
        and not record.budget_step
        and not record.chat.prefer
        and not loop_is_open(record.chat.body["messages"])
    )
