"""Which tiers may answer a request, and which one should."""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from routing.catalog import Alias, Backend, Catalog
from routing.chat import ChatRequest, Json
from routing.classifier import Score

if TYPE_CHECKING:
    from routing.learned.drift import Placed

# Of the learned threshold: a combined score below this share of it is tier 1.
FIRST_BAND = 0.6


class UnknownModel(Exception):
    """The client named something that is neither configured nor an alias."""

    def __init__(self, name: str, known: list[str]) -> None:
        self.name = name
        self.known = known
        shown = ", ".join(known[:20]) + (", ..." if len(known) > 20 else "")
        super().__init__(
            f"There is no model {name!r} here. There is: {shown}. "
            "To give other names a meaning, add a model alias in the admin."
        )


class PinNotAllowed(Exception):
    """The bounds of the key and the request leave no room for what was asked."""


@dataclass(frozen=True, slots=True)
class Route:
    """The tiers a request may go to, both ends included, and why.

    `backend` names the only one allowed, or is empty; so does `model` of an upstream's
    model. `pinned` tells that the client or the policy fixed the tier or backend, so
    that the score doesn't matter.
    """

    floor: int
    ceiling: int
    backend: str = ""
    pinned: bool = False
    reasons: tuple[str, ...] = ()
    model: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """The tier that should answer, and each rule that had a say. `estimates` are those
    of the router that chose, by tier; empty when the score did."""

    tier: int
    reasons: tuple[str, ...]
    estimates: tuple[Json, ...] = ()


@dataclass(slots=True)
class Proposal:
    """What the learned routers say about a request, within its bounds.

    `tier` is None when they leave it to the heuristic. `chance` is the probability
    with which the request goes where it goes. `facts` are the numbers behind it,
    `shadow` those of a router that is watched, `lesson` what can be learned from.
    `expected` are pairs of a tier and its quality before any rounding, `drawn` is the
    tier when chance chose another than the best, `placed` tells of drift.
    """

    tier: int | None
    reason: str = ""
    facts: Json = field(default_factory=dict)
    chance: float = 1.0
    shadow: Json | None = None
    lesson: Json | None = None
    expected: tuple[tuple[int, float], ...] = ()
    drawn: int | None = None
    placed: "Placed | None" = None


def resolve(chat: ChatRequest, catalog: Catalog) -> Route:
    """What the model name, the pin and the bounds of a request mean."""
    if not catalog.tiers:
        return Route(0, 0, reasons=("No tier is configured.",))
    if chat.pin:
        route = pinned(chat.pin, catalog)
        if route is None:
            raise UnknownModel(chat.pin, known_names(catalog))
    else:
        route = named(chat.model or "auto", catalog)
    return bounded(route, chat, catalog)


def named(name: str, catalog: Catalog) -> Route:
    """What a model name sent by a client means."""
    if name == "auto":
        return free(catalog, "The client left the choice to the router.")
    if route := pinned(name, catalog):
        return route
    if tier := catalog.tiers_of_model.get(name):
        return by_policy(name, tier, "", catalog)
    if alias := first_match(name, catalog.aliases):
        target = catalog.by_name.get(alias.backend)
        tier = target.tier if target else alias.tier
        if tier is not None:
            return by_policy(name, tier, alias.backend, catalog)
    raise UnknownModel(name, known_names(catalog))


def free(catalog: Catalog, reason: str) -> Route:
    return Route(catalog.tiers[0].rank, catalog.tiers[-1].rank, reasons=(reason,))


def pinned(name: str, catalog: Catalog) -> Route | None:
    """The route when `name` is a backend's name or `tier-N`."""
    if backend := catalog.by_name.get(name):
        return backend_only(backend, f"The client chose the backend {name}.")
    for tier in catalog.tiers:
        if name == f"tier-{tier.rank}":
            reason = f"The client chose {name}."
            return Route(tier.rank, tier.rank, pinned=True, reasons=(reason,))
    return None


def backend_only(backend: Backend, reason: str) -> Route:
    return Route(backend.tier, backend.tier, backend.name, True, (reason,))


def first_match(name: str, aliases: tuple[Alias, ...]) -> Alias | None:
    return next((a for a in aliases if fnmatchcase(name, a.pattern)), None)


def by_policy(name: str, tier: int, backend: str, catalog: Catalog) -> Route:
    """The route for a name that stands for `tier`, or for `backend` in it."""
    lowest = catalog.tiers[0].rank
    match catalog.policy.client_model:
        case "route":
            return free(catalog, f"The name {name} is ignored, as the policy says.")
        case "ceiling":
            reason = f"{name} means tier {tier}: never above it, cheaper if enough."
            return Route(lowest, tier, reasons=(reason,))
        case "pin" if backend:
            reason = f"{name} means the backend {backend}."
            return backend_only(catalog.by_name[backend], reason)
        case "pin":
            reason = f"{name} means exactly tier {tier}."
            return Route(tier, tier, pinned=True, reasons=(reason,))


def bounded(route: Route, chat: ChatRequest, catalog: Catalog) -> Route:
    """Keep the route within `min_tier` and `max_tier`: they win over any name."""
    if chat.min_tier is None and chat.max_tier is None:
        return route
    ranks = [tier.rank for tier in catalog.tiers]
    least = ranks[0] if chat.min_tier is None else chat.min_tier
    most = ranks[-1] if chat.max_tier is None else chat.max_tier
    allowed = [rank for rank in ranks if least <= rank <= most]
    if not allowed:
        raise PinNotAllowed(
            f"Tiers {least} to {most} are allowed here, and none of them exists."
        )
    if route.pinned and route.floor not in allowed:
        raise PinNotAllowed(
            f"{route.reasons[0]} It is in tier {route.floor}; allowed here are "
            f"tiers {least} to {most}."
        )
    if route.pinned:
        return route

    floor = min(max(route.floor, allowed[0]), allowed[-1])
    ceiling = min(max(route.ceiling, allowed[0]), allowed[-1])
    reasons = list(route.reasons)
    if floor != route.floor:
        reasons.append(f"Never below tier {floor}, by the bounds of this request.")
    if ceiling != route.ceiling:
        reasons.append(f"At most tier {ceiling}, by the bounds of this request.")
    return Route(floor, ceiling, reasons=tuple(reasons))


def known_names(catalog: Catalog) -> list[str]:
    """Every name a client may send, globs as they are written."""
    names = ["auto", *(f"tier-{tier.rank}" for tier in catalog.tiers)]
    names += catalog.by_name
    names += catalog.tiers_of_model
    names += (alias.pattern for alias in catalog.aliases)
    return list(dict.fromkeys(names))


def choose(
    score: Score, route: Route, catalog: Catalog, win_rate: float | None = None
) -> Choice:
    """The tier for a score; `win_rate` is the sidecar's word when it gave one."""
    if route.pinned or not catalog.tiers:
        return Choice(route.floor, route.reasons)
    tier, reason = by_score(score, catalog, win_rate)
    reasons = [*route.reasons, reason]

    forced = lowest_from(score.min_tier, catalog)
    if forced is not None and tier < forced:
        tier = forced
        reasons.append(f"Tools need tier {score.min_tier} or above: tier {forced}.")
    if tier < route.floor:
        tier = route.floor
        reasons.append(f"Raised to tier {tier}, the lowest allowed.")
    if tier > route.ceiling:
        tier = route.ceiling
        reasons.append(f"Lowered to tier {tier}, the highest allowed.")
    return Choice(tier, tuple(reasons))


def allowed_tiers(score: Score, route: Route, catalog: Catalog) -> list[int]:
    """The tiers that the bounds and the hard rules leave, lowest first."""
    floor = max(route.floor, lowest_from(score.min_tier, catalog) or route.floor)
    ranks = [tier.rank for tier in catalog.tiers]
    return [rank for rank in ranks if floor <= rank <= route.ceiling] or [route.ceiling]


def by_score(score: Score, catalog: Catalog, win_rate: float | None) -> tuple[int, str]:
    """The tier before any bound, and the rule that chose it."""
    policy = catalog.policy
    if win_rate is not None:
        weight, threshold = policy.sidecar_weight, policy.learned_threshold
        place = combined(win_rate, score.value, threshold, weight, len(catalog.tiers))
        tier = catalog.tiers[place - 1].rank
        return tier, (
            f"Sidecar {win_rate:.2f} (weight {weight:g}) with score {score.value} "
            f"against the threshold {threshold:g}: tier {tier}."
        )
    if policy.cold_start == "baseline":
        tier = catalog.baseline_tier
        return tier, f"No router is trained yet: everything to the baseline, {tier}."
    moved = "".join(
        f" This scope's votes end tier {tier.rank} at {tier.max_score}, not at "
        f"{tier.voted_from}."
        for tier in catalog.tiers
        if tier.voted_from is not None
    )
    for option in catalog.tiers:
        if option.max_score is not None and score.value <= option.max_score:
            return option.rank, (
                f"Score {score.value} is at most {option.max_score}: "
                f"tier {option.rank}.{moved}"
            )
    last = catalog.tiers[-1].rank
    return last, (
        f"Score {score.value} is above every other tier's limit: tier {last}.{moved}"
    )


def lowest_from(rank: int, catalog: Catalog) -> int | None:
    """The lowest existing tier from `rank` up."""
    return next((tier.rank for tier in catalog.tiers if tier.rank >= rank), None)


def combined(
    win_rate: float, heuristic: int, threshold: float, weight: float, tiers: int
) -> int:
    """The place of a tier, 1 being the cheapest, by the sidecar and the heuristic.

    The first tier ends at 0.6 of the threshold, the last begins at the threshold, and
    those between share what lies between evenly.
    """
    score = weight * win_rate + (1 - weight) * heuristic / 100
    if tiers < 3:
        return tiers if score >= threshold else 1
    step = (1 - FIRST_BAND) / (tiers - 2)
    cuts = (threshold * (FIRST_BAND + step * number) for number in range(tiers - 2))
    return 1 + sum(score >= cut for cut in (*cuts, threshold))
