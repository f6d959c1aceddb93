"""`json_schema` of an op: checked when it is defined, and on what the model wrote.

Nothing is fetched, and no pattern of a schema runs over a model's text: some patterns
would never end.
"""

from typing import Any

import orjson
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable

from routing.chat import Json

NOT_RUN = {name: lambda *_: iter(()) for name in ("pattern", "patternProperties")}
Checker = extend(Draft202012Validator, NOT_RUN)


def problem_of(schema: Any) -> str:
    """Why this can't be a schema, or an empty text."""
    if not isinstance(schema, dict):
        return "it must be a mapping"
    if any(not ref.startswith("#") for ref in references(schema)):
        return "a $ref must begin with #: nothing is fetched"
    try:
        Checker.check_schema(schema)
    except (SchemaError, RecursionError) as error:
        return getattr(error, "message", "it is nested too deeply")[:300]
    return ""


def references(schema: Any) -> list[str]:
    if isinstance(schema, dict):
        own = [v for k, v in schema.items() if k in ("$ref", "$dynamicRef")]
        return [str(v) for v in own] + references(list(schema.values()))
    if isinstance(schema, list):
        return [found for each in schema for found in references(each)]
    return []


def mismatch(text: str, schema: Json) -> str:
    """Why this output is not what the schema asks for, or an empty text."""
    try:
        value = orjson.loads(unfenced(text))
    except orjson.JSONDecodeError as error:
        return f"it is not JSON ({error})"
    try:
        Checker(schema, registry=Registry()).validate(value)
    except ValidationError as error:
        place = "".join(f"[{part!r}]" for part in error.absolute_path)
        return f"{place or 'it'}: {error.message}"[:300]
    except (RecursionError, Unresolvable):
        return "the schema refers to itself without end, or to nothing"
    return ""


def unfenced(text: str) -> str:
    """Without the fence that models like to put around JSON."""
    text = text.strip()
    if text.startswith("```") and text.endswith("```"):
        return text.removeprefix("```json").strip("`").strip()
    return text
