"""Trails in the database: votes add to them, the snapshot reads them."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F

from routing.models import Intent, Lesson, Trail, TrailPin

if TYPE_CHECKING:
    from routing.learned.intents import Intents
    from routing.learned.trails import Trails

LEAST_SHARE = 0.02  # of an intent, to have a part in a vote
FORGOTTEN = timedelta(days=200)  # of which next to nothing is left


def intents_of(rows: Iterable[Intent]) -> "Intents":
    """Raises ValueError for words or cues that can't be read."""
    from routing.learned.intents import Intents, Kind

    return Intents(
        [Kind(r.pk, r.slug, r.words, r.cues, r.bias) for r in rows if r.active]
    )


def reinforce(
    request_id: str, scope: str, tier: int, backend: str, quality: float, today: date
) -> bool:
    """Let one vote leave its trail; whether the request was known well enough.

    Sums are added to in the database: workers that count at once lose nothing.
    """
    from routing.learned.features import Row
    from routing.learned.trails import reward_of

    lesson = Lesson.objects.filter(request_id=request_id, scope=scope).first()
    if lesson is None or not backend:
        return False
    try:
        row = Row.unpack(bytes(lesson.row))
    except ValueError:  # of an earlier version of the features
        return False
    intents = intents_of(Intent.objects.all())
    if not intents.kinds:
        return False
    shares = zip(intents.kinds, intents.mixture(row).tolist(), strict=True)
    parts = [(kind.key, share) for kind, share in shares if share >= LEAST_SHARE]
    with transaction.atomic():  # a vote counts for all its intents, or not at all
        for intent, share in parts:
            cell, _ = Trail.objects.get_or_create(
                scope=scope, intent_id=intent, tier=tier, backend=backend, day=today
            )
            Trail.objects.filter(pk=cell.pk).update(
                votes=F("votes") + 1,
                weight=F("weight") + share,
                reward=F("reward") + share * reward_of(quality),
            )
        Trail.objects.filter(scope=scope, day__lt=today - FORGOTTEN).delete()
    return True


def read_trails(today: date) -> "tuple[dict[str, Trails], Trails]":
    """The trails of each scope, with what was pinned, and the pins for everybody."""
    from routing.learned.trails import Count, Trails

    counts: dict[str, list[Count]] = defaultdict(list)
    names = (
        "scope",
        "intent_id",
        "tier",
        "backend",
        "day",
        "votes",
        "weight",
        "reward",
    )
    for scope, intent, tier, backend, *rest in Trail.objects.values_list(*names):
        counts[scope].append(Count((intent, tier, backend), *rest))
    pins = list(TrailPin.objects.all())
    everybodys = Trails()
    by_scope = {scope: Trails() for scope in {*counts, *(p.scope for p in pins)} - {""}}
    for scope, trails in by_scope.items():
        trails.add(counts[scope], today)
    # A scope's own pin comes after that for everybody, and so it counts.
    for pin in sorted(pins, key=lambda pin: pin.scope):
        cell = (pin.intent_id, pin.tier, pin.backend)
        for trails in [by_scope[pin.scope]] if pin.scope else by_scope.values():
            trails.pin(cell, pin.value)
        if not pin.scope:
            everybodys.pin(cell, pin.value)
    return by_scope, everybodys


def reset(scope: str, intent_id: int, tier: int, backend: str) -> int:
    """Forget what votes said of a cell; how many days that were."""
    cell = Trail.objects.filter(
        scope=scope, intent_id=intent_id, tier=tier, backend=backend
    )
    return cell.delete()[0]
