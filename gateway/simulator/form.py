"""Nonsense in the form that was asked for: a sentence, an object, one of a schema."""

from typing import Any

import orjson

# A schema may mention itself: from here on what may be left out is, and then all.
DEEP, DEEPEST = 4, 16
SAMPLES = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "email": "somebody@example.com",
    "time": "00:00:00Z",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def in_form(words: list[str], wanted: dict[str, Any]) -> list[str]:
    """The pieces of an answer that says these words as `response_format` wants them."""
    if "json" not in str(wanted.get("type")):
        return words
    schema = (wanted.get("json_schema") or {}).get("schema")
    if not isinstance(schema, dict):
        return ['{"answer": "', *words, '"}']
    text = "".join(words[:5]).strip()
    written = orjson.dumps(Example(schema, text).of(schema)).decode()
    return in_pieces(written)


def in_pieces(text: str) -> list[str]:
    """As a model's tokens would cut it."""
    return [text[at : at + 5] for at in range(0, len(text), 5)]


class Example:
    """A value that fits a schema, as far as schemas of structured outputs go."""

    def __init__(self, root: dict[str, Any], text: str) -> None:
        self._root, self._text = root, text

    def of(self, schema: Any, depth: int = 0) -> Any:
        if not isinstance(schema, dict) or depth > DEEPEST:
            return None
        if "const" in schema:
            return schema["const"]
        for field in ("default", "enum", "examples"):
            if field in schema:
                value = schema[field]
                return value if field == "default" else value[0]
        if reference := schema.get("$ref"):
            return self.of(self._found(reference), depth + 1)
        if options := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
            nothing = [option for option in options if option == {"type": "null"}]
            chosen = (nothing if depth > DEEP else []) or options
            return self.of(chosen[0], depth + 1)
        return self._of_type(schema, depth)

    def _of_type(self, schema: dict[str, Any], depth: int) -> Any:
        kind = schema.get("type", "object" if "properties" in schema else "string")
        match kind[0] if isinstance(kind, list) else kind:
            case "object":
                known = schema.get("properties") or {}
                names = schema.get("required", ()) if depth > DEEP else known
                return {name: self.of(known.get(name), depth + 1) for name in names}
            case "array":
                least = schema.get("minItems") or int(depth <= DEEP)
                return [self.of(schema.get("items", {}), depth + 1)] * least
            case "integer" | "number":
                return schema.get("minimum", schema.get("maximum", 42))
            case "boolean":
                return True
            case "null":
                return None
        return SAMPLES.get(schema.get("format", ""), self._text)

    def _found(self, reference: str) -> Any:
        """What `#/$defs/name` points at."""
        found: Any = self._root
        for step in reference.removeprefix("#").strip("/").split("/"):
            found = found.get(step) if step and isinstance(found, dict) else found
        return found
