"""What the OpenAPI document says of a view, written beside the view.

describes = {"post": Operation("A chat completion", body=CHAT, answer=COMPLETION)}
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from routing.chat import Json


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address. `body` and `answer` are JSON schemas, `query` one for
    each parameter; `statuses` are those of success. `streams` tells that the body may
    ask for server-sent events, `content` what the answer is when it is no JSON."""

    summary: str
    body: Json | None = None
    answer: Json = field(default_factory=dict)
    query: Mapping[str, Json] = field(default_factory=dict)
    statuses: tuple[int, ...] = (200,)
    streams: bool = False
    content: str = "application/json"


def an_object(required: tuple[str, ...] = (), **properties: Json) -> Json:
    """Others than these properties are allowed."""
    schema: Json = {"type": "object", "properties": properties}
    if required:
        schema["required"] = list(required)
    return schema


def a_list(items: Json, **bounds: int) -> Json:
    return {"type": "array", "items": items, **bounds}


def one_of(*schemas: Json) -> Json:
    return {"anyOf": list(schemas)}


def words(*known: str) -> Json:
    return {"type": "string", "enum": list(known)}


def number(low: float, high: float) -> Json:
    return {"type": "number", "minimum": low, "maximum": high}


def whole(low: int, high: int | None = None) -> Json:
    bounds = {"minimum": low} if high is None else {"minimum": low, "maximum": high}
    return {"type": "integer", **bounds}


TEXT: Json = {"type": "string"}
FILLED: Json = {"type": "string", "minLength": 1}
FLAG: Json = {"type": "boolean"}
ANY_NUMBER: Json = {"type": "number"}
AN_OBJECT: Json = {"type": "object"}
EVENT = an_object(("data",), event=TEXT, data=TEXT)  # one of a stream's
EXPLAIN = {"explain": words("0", "1", "true")}
