"""Which backends may answer a request for embeddings.

Vectors of different models can't be compared, so the model is the client's choice, and
all that is left to routing is which of those who serve it is asked.
"""

from routing.catalog import Backend, Catalog
from routing.chat import ChatRequest
from routing.tiers import PinNotAllowed, Route, UnknownModel, first_match

EMBEDDINGS = "embeddings"


class NoSuchVectors(UnknownModel):
    """Nobody here makes embeddings under the name that was asked for."""

    def __init__(self, name: str, catalog: Catalog) -> None:
        known = known_models(catalog)
        shown = ", ".join(known[:20]) + (", ..." if len(known) > 20 else "")
        there = f"There is: {shown}." if known else "No backend here offers them."
        reason = f"There is no embeddings model {name!r} here."
        if name == "auto":
            reason = (
                "Embeddings need a model's name: vectors of different models can't be "
                "compared, so none is chosen for you."
            )
        Exception.__init__(self, f"{reason} {there}")
        self.name, self.known = name, known


def resolve(chat: ChatRequest, catalog: Catalog) -> Route:
    """The backends with the model that was named, by its name, theirs or an alias."""
    name = chat.pin or chat.model
    backend = catalog.by_name.get(name)
    if backend is not None and makes_vectors(backend):
        reason = f"The client chose the backend {name}."
        route = Route(backend.tier, backend.tier, name, True, (reason,))
        return bounded(route, chat, [backend])
    alias = first_match(name, catalog.aliases)
    if alias and alias.backend in catalog.by_name:
        name = catalog.by_name[alias.backend].model
    serving = [
        each for each in catalog.backends if each.model == name and makes_vectors(each)
    ]
    if not serving:
        raise NoSuchVectors(name, catalog)
    tiers = [each.tier for each in serving]
    reason = f"Only backends with the model {name}: others' vectors are no match."
    route = Route(min(tiers), max(tiers), "", True, (reason,), name)
    return bounded(route, chat, serving)


def bounded(route: Route, chat: ChatRequest, serving: list[Backend]) -> Route:
    """Within the request's ceiling. A floor of quality says nothing about vectors."""
    if chat.max_tier is None:
        return route
    tiers = [each.tier for each in serving if each.tier <= chat.max_tier]
    if not tiers:
        raise PinNotAllowed(
            f"{route.reasons[0]} It is in tier {route.floor}; allowed here are tiers "
            f"up to {chat.max_tier}."
        )
    return Route(
        route.floor, max(tiers), route.backend, True, route.reasons, route.model
    )


def makes_vectors(backend: Backend) -> bool:
    return EMBEDDINGS not in backend.cannot


def known_models(catalog: Catalog) -> list[str]:
    """The names a client may ask for, models before backends."""
    serving = [
        each
        for each in catalog.backends
        if makes_vectors(each) and each.state == "enabled"
    ]
    names = [each.model for each in serving] + [each.name for each in serving]
    return list(dict.fromkeys(names))
