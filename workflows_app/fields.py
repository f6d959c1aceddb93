"""Readers of single values in a definition: each takes a node and its name."""

import math
import re
from collections.abc import Callable
from typing import Any

from gateway.configuration.yaml_source import ListNode, MappingNode, Node, Scalar
from workflows_app.errors import InvalidWorkflow

NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?([eE][+-]?\d{1,2})?\Z")
WHOLE = re.compile(r"-?\d{1,15}\Z")
TRUE, FALSE = ("true", "yes", "on"), ("false", "no", "off")
Reader = Callable[[Node, str], Any]


def wrong(node: Node, name: str, expected: str) -> InvalidWorkflow:
    return InvalidWorkflow(f"{name} must be {expected}", node.line)


def text(max_chars: int) -> Reader:
    def read(node: Node, name: str) -> str:
        if not isinstance(node, Scalar):
            raise wrong(node, name, "a text")
        if len(node.text) > max_chars:
            raise wrong(node, name, f"at most {max_chars} characters long")
        return "" if node.is_null else node.text

    return read


def integer(low: int, high: int) -> Reader:
    def read(node: Node, name: str) -> int:
        plain = isinstance(node, Scalar) and node.plain and WHOLE.match(node.text)
        if not plain or not low <= int(plain[0]) <= high:
            raise wrong(node, name, f"a whole number from {low} to {high}")
        return int(plain[0])

    return read


def number(low: float, high: float) -> Reader:
    def read(node: Node, name: str) -> float:
        plain = isinstance(node, Scalar) and node.plain and NUMBER.match(node.text)
        value = float(plain[0]) if plain else math.nan
        if not low <= value <= high:
            raise wrong(node, name, f"a number from {low:g} to {high:g}")
        return value

    return read


def boolean(node: Node, name: str) -> bool:
    word = node.text.lower() if isinstance(node, Scalar) and node.plain else ""
    if word not in (*TRUE, *FALSE):
        raise wrong(node, name, "true or false")
    return word in TRUE


def choice(*options: str) -> Reader:
    def read(node: Node, name: str) -> str:
        # YAML's own `off` is a word here, however it is written.
        if not isinstance(node, Scalar) or node.text not in options:
            raise wrong(node, name, f"one of {', '.join(options)}")
        return node.text

    return read


def names(node: Node, name: str) -> tuple[str, ...]:
    """A list of names; one alone needs no list."""
    if isinstance(node, Scalar):
        return () if node.is_null else (node.text,)
    if not isinstance(node, ListNode):
        raise wrong(node, name, "a list of names")
    found = []
    for item in node.items:
        if not isinstance(item, Scalar):
            raise wrong(item, name, "a list of names")
        if item.text in found:
            raise InvalidWorkflow(f'{name} names "{item.text}" twice', item.line)
        found.append(item.text)
    return tuple(found)


def plain_value(node: Node) -> Any:
    """The value JSON would have: for schemas."""
    match node:
        case MappingNode():
            return {key: plain_value(value) for key, value in node.entries.items()}
        case ListNode():
            return [plain_value(item) for item in node.items]
        case Scalar(plain=False):
            return node.text
    constants = {"true": True, "false": False, "null": None, "~": None, "": None}
    if node.text in constants:
        return constants[node.text]
    if WHOLE.match(node.text):
        return int(node.text)
    return float(node.text) if NUMBER.match(node.text) else node.text
