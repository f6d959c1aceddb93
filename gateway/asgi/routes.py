"""The API's routes as the guard sees them, before any body is read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Dialect = Literal["openai", "anthropic"]
JSON = "application/json"
JSONL = ("application/jsonl", "application/x-ndjson", "application/x-jsonlines")


@dataclass(frozen=True, slots=True)
class Route:
    """`public` routes need no key; the others do. `dialect` shapes what an answer is
    made in when the client doesn't say which it speaks. `bodies` are the media types
    that it reads; none of them is one that a foreign web page may send."""

    methods: frozenset[str]
    public: bool = False
    dialect: Dialect = "openai"
    bodies: tuple[str, ...] = (JSON,)


GET = frozenset({"GET", "HEAD"})
POST = frozenset({"POST"})

ROUTES: dict[str, Route] = {
    "/v1/chat/completions": Route(POST),
    "/v1/completions": Route(POST),
    "/v1/responses": Route(POST),
    "/v1/embeddings": Route(POST),
    "/v1/messages": Route(POST, dialect="anthropic"),
    "/v1/messages/count_tokens": Route(POST, dialect="anthropic"),
    "/v1/feedback": Route(POST),
    "/v1/models": Route(GET),
    "/v1/backends": Route(GET),
    "/v1/openapi.json": Route(GET),
    "/stats": Route(GET),
    "/metrics": Route(GET),
    "/health": Route(GET, public=True),
    "/ready": Route(GET, public=True),
}
PATTERNS: list[tuple[re.Pattern[str], Route]] = [
    (re.compile(r"/v1/requests/[^/]{1,80}\Z"), Route(GET)),
    (re.compile(r"/v1/models/.{1,300}\Z"), Route(GET)),
]


def add(addresses: Mapping[str, Route]) -> None:
    """Take in the routes of an app above this one, at its start.

    `<id>` in an address stands for one part of it.
    """
    for address, route in addresses.items():
        if "<id>" in address:
            pattern = re.escape(address).replace("<id>", "[^/]{1,80}")
            PATTERNS.append((re.compile(pattern + r"\Z"), route))
        else:
            ROUTES[address] = route


def is_api(path: str) -> bool:
    """Does the lean path answer here, if only with a 404 in JSON?"""
    return path in ROUTES or path == "/v1" or path.startswith("/v1/")


def dialect_of(path: str, *, has_version: bool) -> Dialect:
    """The client's dialect, errors of unknown addresses included; `has_version` tells
    of the header that every client of Anthropic's sends."""
    if has_version:
        return "anthropic"
    route = ROUTES.get(path)
    return route.dialect if route else "openai"


def find(path: str) -> Route | None:
    if route := ROUTES.get(path):
        return route
    for pattern, route in PATTERNS:
        if pattern.match(path):
            return route
    return None


def meant_by(path: str) -> str:
    """The address that a base URL with a `/v1` too many, or without it, misses."""
    for other in (path.removeprefix("/v1"), f"/v1{path}"):
        if other != path and find(other):
            return other
    return ""
