"""Among backends of equal price: the one whose trail is strongest is preferred."""

from dataclasses import replace
from random import Random

from gateway.order import Order
from gateway.steering import Course
from routing.candidates import cheapest_first
from routing.chat import Features


def guided(course: Course, order: Order, features: Features, random: Random) -> Course:
    """The course, with a preference where it has none and intents may decide."""
    catalog, record = order.snapshot.catalog, order.record
    guide, tier = catalog.guide, course.choice.tier
    classes = catalog.price_classes.get(tier, ())
    if guide is None or course.prefer or course.stay or not classes:
        return course
    equals = [backend.name for backend in cheapest_first(classes, features)[0]]
    if len(equals) < 2 or order.route.backend:
        return course
    chat = record.chat
    found = guide.prefer(chat.body, chat.scope, tier, equals, random)
    if found is None:
        return course
    record.decide("intents", found.reason, **found.facts)
    return replace(course, prefer=found.backend)
