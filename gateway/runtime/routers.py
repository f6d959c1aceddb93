"""The routers of a snapshot: read once per version, solved anew with the prices.

Nothing here imports numpy while there is nothing to decide with.
"""

from typing import TYPE_CHECKING

import structlog

from routing.catalog import Catalog
from routing.models import RouterModel

if TYPE_CHECKING:
    from routing.learned.brain import Brain
    from routing.learned.model import QualityModel
    from routing.learned.router import Router

log = structlog.get_logger("configuration")
USED = (RouterModel.Status.ACTIVE, RouterModel.Status.SHADOW)
# By primary key, those in use alone: a router's data never changes.
_models: "dict[int, QualityModel]" = {}


def read_brain(catalog: Catalog) -> "tuple[Brain | None, tuple[str, ...]]":
    """What decides beside the heuristic, and what an operator should know of it."""
    rows = RouterModel.objects.filter(status__in=USED).defer("data")
    found = {str(row.status): row for row in rows}
    learning = catalog.policy.learning != "none"
    _forget({row.pk for row in found.values()})
    if not found and not learning:
        return None, ()
    from routing.learned.brain import Brain
    from routing.learned.model import NotAModel
    from routing.learned.router import Unfit

    routers: dict[str, Router] = {}
    notes = []
    for status, row in found.items():
        try:
            routers[status] = _router(row, catalog)
        except (NotAModel, Unfit) as error:
            notes.append(f"{row} is {status} and can't be used: {error}")
            log.warning("router_unfit", router=row.version, reason=str(error))
    brain = Brain(
        routers.get(RouterModel.Status.ACTIVE),
        routers.get(RouterModel.Status.SHADOW),
        learning,
        catalog.policy.learned_exploration,
    )
    idle = not (brain.router or brain.shadow or learning)
    return None if idle else brain, tuple(notes)


def _router(row: RouterModel, catalog: Catalog) -> "Router":
    from routing.learned.model import QualityModel
    from routing.learned.router import Router
    from routing.learned.targets import Target
    from routing.learned.traffic import Seen

    if row.pk not in _models:
        _models[row.pk] = QualityModel.load(bytes(row.data))
    policy = catalog.policy
    target = Target(policy.learned_target, policy.learned_target_value)
    model = _models[row.pk]
    seen = Seen.load(bytes(row.traffic), len(model.tiers)) if row.traffic else None
    return Router(row.version, model, catalog, target, seen)


def _forget(kept: set[int]) -> None:
    for pk in set(_models) - kept:
        del _models[pk]
