"""What an op sends: its text, the workflow's input and the outputs it was given.

Static text comes first, so that providers can reuse their prompt caches; whatever the
op's text doesn't place itself by a placeholder follows in tagged blocks.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway.errors import BadRequest
from routing.chat import Json
from workflows_app import template
from workflows_app.definition import Definition, MapOver, Op, Value

MAX_PROMPT_BYTES = 4 << 20
MAX_INPUTS = 64
BULLET = re.compile(r"^\s*(?:[-*\u2022]|\d{1,3}[.)])\s+")


@dataclass(frozen=True, slots=True)
class Inputs:
    """The input of a run: a text, or named values, or both."""

    query: str = ""
    named: Mapping[str, Value] = field(default_factory=dict)

    def to_json(self) -> Json:
        return {"query": self.query, "named": dict(self.named)}


def read_inputs(value: Any, named: Any = None) -> Inputs:
    """`input` (a text, a list or an object) and `inputs` of a request."""
    found: dict[str, Value] = {}
    for mapping in (value, named):
        if isinstance(mapping, dict):
            found |= {str(name): _value(each) for name, each in mapping.items()}
        elif mapping is named and named is not None:
            raise BadRequest("inputs must be an object.", param="inputs")
    if len(found) > MAX_INPUTS:
        raise BadRequest(f"At most {MAX_INPUTS} inputs.", param="inputs")
    if isinstance(value, str):
        return Inputs(value, found)
    if isinstance(value, list):
        return Inputs(orjson.dumps(value).decode(), found)
    if value is None or isinstance(value, dict):
        return Inputs("", found)
    raise BadRequest("input must be a text, a list or an object.", param="input")


def _value(value: Any) -> Value:
    if value is None or isinstance(value, str | list):
        return value
    return orjson.dumps(value).decode()


def names_of(definition: Definition) -> list[str]:
    """The named inputs that a run must have: those the workflow says, then others that
    its ops use."""
    used = set()
    for op in definition.ops.values():
        used |= {name for name in op.placeholders() if name.startswith("inputs.")}
        if op.map and op.map.over.startswith("inputs."):
            used.add(op.map.over)
    others = {name.removeprefix("inputs.") for name in used} - set(definition.inputs)
    return [*definition.inputs, *sorted(others)]


def check_inputs(definition: Definition, inputs: Inputs) -> None:
    """Raise 400 for an input that an op or the workflow names and the run lacks."""
    for name in names_of(definition):
        if name not in inputs.named:
            raise BadRequest(
                f"The workflow needs inputs.{name}: send it in the request's inputs.",
                param="inputs",
            )


@dataclass(frozen=True, slots=True)
class Context:
    """What an op's texts may put in. `outputs` holds None for what was skipped."""

    inputs: Inputs
    outputs: Mapping[str, Value]

    def value(self, name: str, item: str | None = None) -> Value:
        if name == "item":
            return item
        if name == "input":
            named = dict(self.inputs.named)
            return self.inputs.query or (as_text(named) if named else "")
        if name.startswith("inputs."):
            return self.inputs.named.get(name.removeprefix("inputs."))
        return self.outputs.get(name)


def messages(
    op: Op, parents: tuple[str, ...], context: Context, item: str | None = None
) -> list[Json]:
    def fill(text: str) -> str:
        return template.fill(text, lambda name: as_text(context.value(name, item)))

    parts = [fill(op.template or op.prompt)]
    if not op.template:
        parts += blocks(op, parents, context, item)
    user = {"role": "user", "content": "\n\n".join(parts)}
    if not op.system:
        return [user]
    return [{"role": "system", "content": fill(op.system)}, user]


def blocks(
    op: Op, parents: tuple[str, ...], context: Context, item: str | None
) -> list[str]:
    """Input, outputs and item, each between tags, unless the text has it already."""
    found = input_blocks(op, context.inputs) if op.query else []
    placed = {*op.placeholders()} | ({op.map.over} if op.map else set())
    for name in op.shown if op.shown is not None else parents:
        value = context.outputs.get(name)
        if name in placed or value is None:
            continue
        if isinstance(value, str):
            found.append(template.block("output", value, op=name))
            continue
        found += [
            template.block("output", as_text(each), op=name, item=str(number))
            for number, each in enumerate(value, 1)
        ]
    if item is not None and "item" not in placed:
        found.append(template.block("item", item))
    return found


def input_blocks(op: Op, inputs: Inputs) -> list[str]:
    """An op whose text places an input has chosen among the named ones; one that maps
    a list is given the rest of the input with each item."""
    placed, over = op.placeholders(), op.map.over if op.map else ""
    found = []
    if inputs.query and "input" not in (*placed, over):
        found.append(template.block("input", inputs.query))
    chosen = any(name.split(".")[0] in ("input", "inputs") for name in placed)
    if chosen or (over == "input" and not inputs.query):
        return found
    return found + [
        template.block("input", as_text(value), name=safe(name))
        for name, value in inputs.named.items()
        if f"inputs.{name}" != over
    ]


def safe(name: str) -> str:
    return re.sub(r"[^\w .-]", "_", name)[:64]


def as_text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def items_of(value: Value, spec: MapOver) -> list[str]:
    """The list in an output: JSON's, or the text's lines or paragraphs."""
    if isinstance(value, list):
        return [as_text(each) for each in value]
    text = (value or "").strip()
    listed = text.removeprefix("```json").strip("`").strip()
    if listed.startswith("["):
        try:
            return [as_text(each) for each in orjson.loads(listed)]
        except orjson.JSONDecodeError:
            pass
    if spec.split == "paragraphs":
        return [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]
    lines = (BULLET.sub("", line).strip() for line in text.splitlines())
    return [line for line in lines if line]


def body_of(op: Op, op_messages: list[Json]) -> Json:
    """The chat-completion body of a call."""
    body: Json = {"model": op.target, "messages": op_messages}
    if op.max_tokens is not None:
        body["max_tokens"] = op.max_tokens
    if op.temperature is not None:
        body["temperature"] = op.temperature
    if op.json_schema is not None:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": op.name, "schema": op.json_schema},
        }
    return body
