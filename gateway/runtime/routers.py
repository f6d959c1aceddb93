"""The routers of a snapshot: read once per version, solved anew with the prices.

Nothing here imports numpy while there is nothing to decide with.
"""

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from routing.catalog import Catalog, Policy
from routing.models import Intent, RouterModel

if TYPE_CHECKING:
    from routing.learned.brain import Brain
    from routing.learned.cascades import Cascades
    from routing.learned.guide import Guide
    from routing.learned.model import QualityModel
    from routing.learned.promise import Promise
    from routing.learned.router import Router
    from routing.learned.targets import Target

log = structlog.get_logger("configuration")
ACTIVE, SHADOW = RouterModel.Status.ACTIVE.value, RouterModel.Status.SHADOW.value
USED = (ACTIVE, SHADOW)
OWN = ("cascade", "cascade_check")  # of an intent
# By primary key, those in use alone: a router's data never changes.
_models: "dict[int, QualityModel]" = {}


def read_brain(catalog: Catalog) -> "tuple[Brain | None, tuple[str, ...]]":
    """What decides beside the heuristic, and what an operator should know of it."""
    found = list(RouterModel.objects.filter(status__in=USED).defer("data"))
    policy = catalog.policy
    learning = policy.learning != "none"
    _forget({row.pk for row in found})
    if not found and not learning:
        return None, ()
    from routing.learned.brain import Brain
    from routing.learned.model import NotAModel
    from routing.learned.router import Unfit

    by_scope: dict[str, dict[str, Router]] = {"": {}}
    notes = []
    for row in found:
        routers = by_scope.setdefault(row.scope, {})
        try:
            routers[row.status] = _router(row, catalog)
            notes += _doubts(routers[row.status])
        except (NotAModel, Unfit) as error:
            notes.append(f"{row} is {row.status} and can't be used: {error}")
            log.warning("router_unfit", router=row.version, reason=str(error))
    everybodys = by_scope.pop("")
    brain = Brain(
        everybodys.get(ACTIVE),
        everybodys.get(SHADOW),
        learning,
        policy.learned_exploration,
    )
    brains = {
        scope: replace(
            brain,
            router=own.get(ACTIVE, brain.router),
            shadow=own.get(SHADOW, brain.shadow),
        )
        for scope, own in by_scope.items()
    }
    idle = not (brain.router or brain.shadow or learning or brains)
    return None if idle else replace(brain, own=brains), tuple(notes)


def read_guide(policy: Policy, now: datetime) -> "tuple[Guide | None, tuple[str, ...]]":
    """The intents and their trails, while they may decide."""
    if not policy.intents:
        return None, ()
    from routing.learned.guide import Guide
    from routing.trails import intents_of, read_trails

    try:
        intents = intents_of(Intent.objects.all())
    except ValueError as error:
        return None, (f"The intents can't be used: {error}",)
    return Guide(intents, *read_trails(now.date())), ()


def read_cascades() -> "tuple[Cascades | None, tuple[str, ...]]":
    """The rules of intents that have a cascade of their own."""
    rows = list(Intent.objects.filter(active=True))
    own = {
        row.slug: {name: value for name in OWN if (value := getattr(row, name))}
        for row in rows
    }
    if not any(own.values()):
        return None, ()
    from routing.learned.cascades import Cascades
    from routing.trails import intents_of

    try:
        return Cascades(intents_of(rows), own), ()
    except ValueError as error:
        return None, (f"The cascades of intents can't be used: {error}",)


def _router(row: RouterModel, catalog: Catalog) -> "Router":
    from routing.learned.model import QualityModel
    from routing.learned.promised import PromisedRouter
    from routing.learned.router import Router
    from routing.learned.targets import Target
    from routing.learned.traffic import Seen

    if row.pk not in _models:
        _models[row.pk] = QualityModel.load(bytes(row.data))
    policy = catalog.policy
    target = Target(policy.learned_target, policy.learned_target_value)
    model = _models[row.pk]
    seen = Seen.load(bytes(row.traffic), len(model.tiers)) if row.traffic else None
    if target.kind == "max_worse":
        given = promise_of(row, target, catalog)
        return PromisedRouter(row.version, model, catalog, target, seen, given)
    return Router(row.version, model, catalog, target, seen)


def promise_of(
    row: RouterModel, target: "Target", catalog: Catalog
) -> "Promise | None":
    """What was shown of this router, while it is no weaker than what is wanted."""
    from routing.learned.promise import Promise

    try:
        given = Promise.of_json(row.promise)
    except (KeyError, TypeError, ValueError):
        return None
    same = given.baseline == str(catalog.baseline_tier)
    return given if same and given.limit <= target.value else None


def _doubts(router: "Router") -> list[str]:
    if router.target.kind == "max_worse" and not router.borders:
        return [
            f"No judgements have shown of router {router.version} that at most "
            f"{router.target.value:.1%} of its downgrades are worse: everything goes "
            "to the baseline. See manage.py calibrate --max-worse."
        ]
    return []


def _forget(kept: set[int]) -> None:
    for pk in set(_models) - kept:
        del _models[pk]
