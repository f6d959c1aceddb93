"""`GET /v1/openapi.json`: every address, from the urls and what their views say.

drf-spectacular walks the urls and builds the document. It is loaded when somebody asks
for the first time, in a thread: no worker pays for it that serves requests only.
"""

import re
from functools import lru_cache
from typing import Any

import orjson
from django.conf import settings
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema

from gateway.api.described import EVENT, Operation
from gateway.api.schemas import ERROR
from gateway.asgi import routes
from routing.chat import Json

KEYS: list[Json] = [{"bearer": []}, {"x-api-key": []}]
SEGMENT = {"type": "string", "minLength": 1, "maxLength": 80, "pattern": "^[^/]{1,80}$"}
ANY_PATH = {"type": "string", "minLength": 1, "maxLength": 200}
PARAMETER = re.compile(r"\{(\w+)\}")


class Described(AutoSchema):
    """Reads what stands beside a view, instead of guessing from serializers."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any
    ) -> Json:
        view: Any = self.view  # one of ours
        operation: Operation = view.describes[method.lower()]
        route = routes.find(PARAMETER.sub("x", path))
        written: Json = {
            "operationId": operation_id(method, path),
            "summary": operation.summary,
            "responses": responses_of(operation),
            "security": [{}] if route and route.public else KEYS,
        }
        if parameters := [*in_path(path), *in_query(operation)]:
            written["parameters"] = parameters
        if operation.body is not None:
            content = {"application/json": {"schema": operation.body}}
            written["requestBody"] = {"required": True, "content": content}
        return written


def operation_id(method: str, path: str) -> str:
    words = re.findall(r"\w+", path.removeprefix("/v1"))
    return "_".join([method.lower(), *words])


def responses_of(operation: Operation) -> Json:
    """The successes, and one shape for everything else."""
    content: Json = {operation.content: {"schema": operation.answer}}
    if operation.streams:
        content["text/event-stream"] = {"schema": EVENT}
    found: Json = {
        str(status): {"description": "As asked.", "content": content}
        for status in operation.statuses
    }
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {**found, "default": {"description": "An error.", "content": error}}


def in_path(path: str) -> list[Json]:
    last = path.endswith("/models/{model}")  # names of models may hold a slash
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": ANY_PATH if last else SEGMENT,
        }
        for name in PARAMETER.findall(path)
    ]


def in_query(operation: Operation) -> list[Json]:
    return [
        {"name": name, "in": "query", "schema": schema}
        for name, schema in operation.query.items()
    ]


@lru_cache(maxsize=1)
def document() -> bytes:
    """The document as JSON; the urls don't change while a process runs."""
    generator = SchemaGenerator(urlconf=settings.API_URLCONF)
    schema: Json = generator.get_schema(public=True)
    components = schema.setdefault("components", {})
    components["schemas"] = {"Error": ERROR}
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "x-api-key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    }
    return orjson.dumps(schema)
