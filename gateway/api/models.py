"""`GET /v1/models`: what a client may name, in the dialect it speaks.

One address serves both: a request with an `anthropic-version` header gets Anthropic's
list, any other OpenAI's.
"""

from gateway.api.base import GatewayRequest, GatewayView
from gateway.api.described import Operation
from gateway.api.reply import Reply, json_reply
from gateway.api.schemas import MODELS, ONE_MODEL
from gateway.errors import BadRequest, ModelNotFound
from routing.catalog import Backend, Catalog
from routing.chat import Json

OWNER = "llm-router"  # of names that stand for whatever the router chooses
UNKNOWN_DATE = "1970-01-01T00:00:00Z"
DEFAULT_LIMIT = 20
MAX_LIMIT = 1000


class Models(GatewayView):
    """`GET /v1/models`: every name."""

    describes = {"get": Operation("Every name a client may send", answer=MODELS)}

    async def get(self, request: GatewayRequest) -> Reply:
        names = known(self.gateway.snapshot.catalog)
        if self.gateway.dialect == "anthropic":
            models = [anthropic_model(name, by) for name, by in names.items()]
            return json_reply(page(models, request.query))
        data = [openai_model(name, by) for name, by in names.items()]
        return json_reply({"object": "list", "data": data})


class OneModel(GatewayView):
    """`GET /v1/models/{id}`."""

    describes = {"get": Operation("One of them", answer=ONE_MODEL)}

    async def get(self, request: GatewayRequest, model: str) -> Reply:
        names = known(self.gateway.snapshot.catalog)
        if model not in names:
            raise ModelNotFound(
                f"The model {model[:200]!r} does not exist.", param="model"
            )
        shown = openai_model
        if self.gateway.dialect == "anthropic":
            shown = anthropic_model
        return json_reply(shown(model, names[model]))


def known(catalog: Catalog) -> dict[str, Backend | None]:
    """`auto`, each tier, each backend and each upstream model name, once."""
    names: dict[str, Backend | None] = {"auto": None}
    names |= {f"tier-{tier.rank}": None for tier in catalog.tiers}
    for backend in catalog.backends:
        if backend.state == "enabled":
            names.setdefault(backend.name, backend)
            names.setdefault(backend.model, backend)
    return names


def openai_model(name: str, backend: Backend | None) -> Json:
    owner = backend.provider if backend else OWNER
    return {"id": name, "object": "model", "created": 0, "owned_by": owner}


def anthropic_model(name: str, backend: Backend | None) -> Json:
    return {
        "type": "model",
        "id": name,
        "display_name": name,
        "created_at": UNKNOWN_DATE,
        "lifecycle": "active",
        "deprecated_at": None,
        "retires_at": None,
        "max_input_tokens": backend.context_window if backend else None,
    }


def page(models: list[Json], query: dict[str, str]) -> Json:
    """The part that Anthropic's `limit`, `after_id` and `before_id` ask for."""
    limit = query.get("limit", str(DEFAULT_LIMIT))
    if not limit.isdecimal() or not 1 <= int(limit[:5]) <= MAX_LIMIT:
        raise BadRequest(f"limit must be from 1 to {MAX_LIMIT}.", param="limit")
    ids = [model["id"] for model in models]
    first, end = 0, len(models)
    for field in ("after_id", "before_id"):
        if field in query and query[field] not in ids:
            raise BadRequest(f"{field}: no such model.", param=field)
    if "after_id" in query:
        first = ids.index(query["after_id"]) + 1
    if "before_id" in query:
        end = ids.index(query["before_id"])
        first = max(first, end - int(limit))
    shown = models[first : min(end, first + int(limit))]
    more = first > 0 if "before_id" in query else first + len(shown) < end
    return {
        "data": shown,
        "has_more": more,
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
    }
