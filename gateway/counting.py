"""How many tokens a request has: as its provider counts them, else by a guess."""

from dataclasses import dataclass

import httpx
import orjson
import structlog

from gateway.dialects.upstream_errors import upstream_error
from gateway.dialects.usage import count
from gateway.errors import UpstreamError, UpstreamRefused
from gateway.ledger.books import RequestRecord
from gateway.pipeline import read_route
from gateway.providers.anthropic import count_call
from gateway.runtime.runtime import Runtime
from routing.catalog import Backend
from routing.chat import Features
from routing.classifier import classify
from routing.features import features_of
from routing.tiers import choose

COUNT_SECONDS = 10.0

log = structlog.get_logger("api")


@dataclass(frozen=True, slots=True)
class Count:
    """`by` is the backend whose provider counted, empty when it is an estimate."""

    tokens: int
    by: str = ""


async def count_tokens(record: RequestRecord, runtime: Runtime) -> Count:
    """Ask the backend that would answer, when its provider counts; it is free.

    Raises what the provider refuses about the request; its other failures leave the
    estimate.
    """
    features = features_of(record.chat)
    backend = would_answer(record, features, runtime)
    if backend is not None and backend.preset.dialect == "anthropic":
        try:
            tokens = await ask(backend, record, runtime)
            return Count(tokens, backend.name)
        except UpstreamRefused as error:
            if error.status != 404:
                raise
        except (UpstreamError, httpx.HTTPError, OSError, ValueError) as error:
            log.warning("count_failed", backend=backend.name, error=str(error))
    return Count(features.prompt_tokens)


def would_answer(
    record: RequestRecord, features: Features, runtime: Runtime
) -> Backend | None:
    """Whom the request would go to now; None when nobody can answer."""
    snapshot = runtime.snapshot.seen_by(record.caller)
    catalog = snapshot.catalog
    route = read_route(record, snapshot)
    choice = choose(classify(features), route, catalog)
    candidates = runtime.pool.candidates(catalog, choice, route, features)
    usable = bool(candidates) and candidates[-1].usable
    return candidates[-1].backend if usable else None


async def ask(backend: Backend, record: RequestRecord, runtime: Runtime) -> int:
    if record.chat.native is None:
        raise ValueError("only Anthropic's own requests can be counted there")
    call = count_call(backend, record.chat.native)
    response = await runtime.http.side.post(
        call.url, content=call.body, headers=call.headers, timeout=COUNT_SECONDS
    )
    body = response.content
    if response.status_code != 200:
        now = runtime.books.wall()
        raise upstream_error(response.status_code, response.headers, body, now)
    tokens = count(orjson.loads(body), "input_tokens")
    if tokens is None:
        raise ValueError("the provider's count is no number")
    return tokens
