"""The text of a workflow, YAML or JSON, to a Definition."""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import orjson

from gateway.configuration import yaml_source
from gateway.configuration.problems import ConfigurationError, Problems, suggestion
from gateway.configuration.yaml_source import ListNode, MappingNode, Node, Scalar
from gateway.dialects import strict_json
from gateway.errors import InvalidJson
from routing.chat import Json
from workflows_app import fields, graph, predicate, schema
from workflows_app.checks import check_fallbacks, check_op, check_references
from workflows_app.definition import Definition, MapOver, Op
from workflows_app.errors import InvalidWorkflow

MAX_BYTES = 64 << 10
MAX_TEXT = 32 << 10
NAME = re.compile(r"[a-z0-9_]{1,32}\Z")
RESERVED = {"input", "inputs", "item", "and", "or", "not", "true", "false", "null"}
A_TEXT = fields.text(MAX_TEXT)
A_NAME = fields.text(200)
COST, SECONDS = fields.number(0, 1e6), fields.number(0.01, 86_400)


def read(source: str | Json) -> Definition:
    """Raises InvalidWorkflow: what is wrong, in which op, on which line."""
    return read_text(source) if isinstance(source, str) else read_new(source)


@lru_cache(64)  # runs of one batch, and of a popular workflow, have one text
def read_text(text: str) -> Definition:
    return read_new(text)


def read_new(source: str | Json) -> Definition:
    text = source if isinstance(source, str) else orjson.dumps(source).decode()
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise InvalidWorkflow(f"a workflow may have {MAX_BYTES >> 10} KB at most")
    root = _tree(text) if isinstance(source, str) else node_of(source)
    return _definition(root, text)


def _tree(text: str) -> Node:
    problems = Problems("line")
    try:
        root = yaml_source.parse(text.encode("utf-8", "surrogatepass"), problems)
        problems.raise_if_any()
        return root
    except ConfigurationError as error:
        if text.lstrip().startswith("{"):
            try:  # JSON that isn't YAML, such as one with \ud83d\ude42
                return node_of(strict_json.loads(text.encode()))
            except (InvalidJson, UnicodeEncodeError):
                pass
        line, _, message = error.messages[0].removeprefix("line:").partition(": ")
        raise InvalidWorkflow(message, int(line)) from None


def node_of(value: Any) -> Node:
    """JSON values as the tree the YAML reader makes; their lines are not known."""
    if isinstance(value, dict):
        entries = {str(key): node_of(each) for key, each in value.items()}
        return MappingNode(0, entries, dict.fromkeys(entries, 0))
    if isinstance(value, list):
        return ListNode(0, tuple(map(node_of, value)))
    if isinstance(value, str):
        return Scalar(0, value, plain=False)
    return Scalar(0, orjson.dumps(value).decode())


def _definition(root: Node, text: str) -> Definition:
    if not isinstance(root, MappingNode) or not root.entries:
        raise InvalidWorkflow("a workflow is a mapping with end_ops and ops", root.line)
    values = _values(root, WORKFLOW_FIELDS)
    ops_node = root.entries.get("ops")
    if not isinstance(ops_node, MappingNode) or not ops_node.entries:
        raise InvalidWorkflow("ops must be a mapping of names to ops", root.line)
    if len(ops_node.entries) > graph.MAX_OPS:
        raise InvalidWorkflow(
            f"there are {len(ops_node.entries)} ops; {graph.MAX_OPS} is the most",
            ops_node.line,
        )
    if not values.get("end_ops"):
        raise InvalidWorkflow("end_ops is missing: name the ops whose output you want")
    ops = {
        name: _op(name, node, ops_node.lines[name])
        for name, node in ops_node.entries.items()
    }
    check_fallbacks(ops)
    built = graph.build(ops, values.get("start_ops"), values["end_ops"], root.lines)
    check_references(ops, built.parents, values.get("inputs"))
    return Definition(
        **{
            **values,
            "ops": ops,
            "start_ops": built.start_ops,
            "parents": built.parents,
            "children": built.children,
            "order": built.order,
            "text": text,
        }
    )


def _values(node: MappingNode, readers: Mapping[str, Any], op: str = "") -> Json:
    values: Json = {}
    for name, entry in node.entries.items():
        line = node.lines[name]
        reader = readers.get(name)
        if name not in readers:
            hint = suggestion(name, readers)
            raise InvalidWorkflow(f'unknown field "{name}"{hint}', line, op)
        if reader is None:
            continue
        try:
            values[name] = reader(entry, name)
        except InvalidWorkflow as error:
            raise InvalidWorkflow(error.reason, error.line or line, op) from None
    return values


def _op(name: str, node: Node, line: int) -> Op:
    if not NAME.match(name) or name in RESERVED:
        raise InvalidWorkflow(
            "the name of an op is 1 to 32 of a-z, 0-9 and _, and not one of "
            f"{', '.join(sorted(RESERVED))}",
            line,
            name[:64],
        )
    if not isinstance(node, MappingNode):
        raise InvalidWorkflow("an op is a mapping with a prompt", line, name)
    values = _values(node, OP_FIELDS, name)
    values.update(values.pop("inputs", {}))
    tier, model = values.pop("tier", None), values.pop("model", "")
    auto = values.pop("auto", False) or tier == "auto" or model == "auto"
    if auto and (isinstance(tier, int) or model not in ("", "auto")):
        raise InvalidWorkflow(
            "auto and a tier or model exclude each other",
            node.lines.get("auto", line),
            name,
        )
    if isinstance(tier, int) and model:
        raise InvalidWorkflow(
            "tier and model exclude each other", node.lines["model"], name
        )
    if when := values.pop("when", None):
        values["when_text"], values["when"] = when
    op = Op(name=name, line=line, lines=node.lines, **values)
    if not auto:
        op = replace(op, tier=tier, model=model)
    check_op(op)
    return op


def _tier(node: Node, name: str) -> int | str:
    if isinstance(node, Scalar) and node.text == "auto":
        return "auto"
    tier: int = fields.integer(1, 9999)(node, f"{name}, unless it is auto,")
    return tier


def _when(node: Node, name: str) -> tuple[str, predicate.Predicate]:
    text = A_TEXT(node, name)
    try:
        return text, predicate.parse(text)
    except predicate.PredicateError as error:
        raise InvalidWorkflow(f"when: {error}", node.line) from None


def _map(node: Node, name: str) -> MapOver:
    if isinstance(node, Scalar):
        return MapOver(A_NAME(node, name))
    if not isinstance(node, MappingNode):
        raise fields.wrong(node, name, "a name, or a mapping with over")
    values = _values(node, MAP_FIELDS)
    if "over" not in values:
        raise fields.wrong(node, name, "a name, or a mapping with over")
    return MapOver(**values)


def _inputs(node: Node, name: str) -> Json:
    if not isinstance(node, MappingNode):
        raise fields.wrong(node, name, "a mapping with query and parents")
    values = _values(node, {"query": fields.boolean, "parents": fields.names})
    shown = {"shown": values["parents"]} if "parents" in values else {}
    return {"query": values.get("query", True), **shown}


def _schema(node: Node, name: str) -> Json:
    value = fields.plain_value(node)
    if problem := schema.problem_of(value):
        raise InvalidWorkflow(f"{name}: {problem}", node.line)
    found: Json = value
    return found


WORKFLOW_FIELDS: dict[str, Any] = {
    "name": A_NAME,
    "description": A_TEXT,
    "inputs": fields.names,
    "start_ops": fields.names,
    "end_ops": fields.names,
    "max_cost_usd": COST,
    "deadline_s": SECONDS,
    "ops": None,
}
MAP_FIELDS = {
    "over": A_NAME,
    "max_items": fields.integer(1, 64),
    "split": fields.choice("lines", "paragraphs"),
}
OP_FIELDS: dict[str, Any] = {
    "prompt": A_TEXT,
    "system": A_TEXT,
    "template": A_TEXT,
    "tier": _tier,
    "model": A_NAME,
    "auto": fields.boolean,
    "max_tokens": fields.integer(1, 10_000_000),
    "temperature": fields.number(0, 2),
    "input_ops": fields.names,
    "output_ops": fields.names,
    "inputs": _inputs,
    "when": _when,
    "map": _map,
    "json_schema": _schema,
    "timeout_s": SECONDS,
    "retries": fields.integer(0, 5),
    "on_error": fields.choice("fail", "skip", "fallback_op"),
    "fallback_op": A_NAME,
    "cache": fields.choice("auto", "off"),
    "dedupe": fields.boolean,
    "samples": fields.integer(1, 16),
    "vote": fields.choice("majority", "last_line"),
}
