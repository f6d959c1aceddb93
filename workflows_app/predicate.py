"""The predicate of `when`: comparisons of earlier outputs, joined by and, or, not.

    verdict contains "wrong" and not (score.total >= 7)

    either  := both ("or" both)*
    both    := one ("and" one)*
    one     := "not" one | "(" either ")" | name [comparison]
    name    := an op, input or inputs.NAME, with .FIELD into an output that is JSON
    comparison := ("==" | "!=" | "<" | "<=" | ">" | ">=" | "contains" | "starts_with"
                  | "ends_with") value
    value   := "text" | 'text' | number | true | false | null

A name alone is true when it has an output that isn't empty. Case matters to nobody.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from workflows_app.schema import unfenced

MAX_CHARS = 500
MAX_DEPTH = 16
TOKEN = re.compile(
    r"""\s*(?:(?P<text>"[^"]*"|'[^']*')
    |(?P<number>-?\d+(?:\.\d+)?)
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*)
    |(?P<sign>==|!=|<=|>=|<|>|\(|\)))""",
    re.VERBOSE,
)
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "contains", "starts_with", "ends_with")
CONSTANTS = {"true": True, "false": False, "null": None}
Lookup = Callable[[str], Any]
Token = tuple[str, str]


class PredicateError(ValueError):
    """Why it can't be read, in a sentence."""


@dataclass(frozen=True, slots=True)
class Comparison:
    name: str
    operator: str = ""
    value: Any = None

    def holds(self, lookup: Lookup) -> bool:
        found = resolve(self.name, lookup)
        if not self.operator:
            return bool(found)
        return compare(found, self.operator, self.value)

    def names(self) -> list[str]:
        return [self.name]


@dataclass(frozen=True, slots=True)
class Not:
    inner: "Predicate"

    def holds(self, lookup: Lookup) -> bool:
        return not self.inner.holds(lookup)

    def names(self) -> list[str]:
        return self.inner.names()


@dataclass(frozen=True, slots=True)
class Joined:
    """`every`: joined by and; else by or."""

    every: bool
    parts: tuple["Predicate", ...]

    def holds(self, lookup: Lookup) -> bool:
        results = (part.holds(lookup) for part in self.parts)
        return all(results) if self.every else any(results)

    def names(self) -> list[str]:
        return [name for part in self.parts for name in part.names()]


Predicate = Comparison | Not | Joined


def parse(text: str) -> Predicate:
    if len(text) > MAX_CHARS:
        raise PredicateError(f"it may have {MAX_CHARS} characters at most")
    tokens = tokenize(text)
    predicate = _either(tokens, 0)
    if tokens:
        raise PredicateError(f"{tokens[0][1]!r} is not expected there")
    return predicate


def tokenize(text: str) -> list[Token]:
    tokens, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise PredicateError(f"{text[at:].strip()[:20]!r} can't be read")
        tokens.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return tokens


def _either(tokens: list[Token], depth: int) -> Predicate:
    parts = [_both(tokens, depth)]
    while tokens and tokens[0] == ("word", "or"):
        tokens.pop(0)
        parts.append(_both(tokens, depth))
    return parts[0] if len(parts) == 1 else Joined(False, tuple(parts))


def _both(tokens: list[Token], depth: int) -> Predicate:
    parts = [_one(tokens, depth)]
    while tokens and tokens[0] == ("word", "and"):
        tokens.pop(0)
        parts.append(_one(tokens, depth))
    return parts[0] if len(parts) == 1 else Joined(True, tuple(parts))


def _one(tokens: list[Token], depth: int) -> Predicate:
    if depth > MAX_DEPTH:
        raise PredicateError(f"it is nested deeper than {MAX_DEPTH} levels")
    kind, word = _next(tokens)
    if word == "not" and kind == "word":
        return Not(_one(tokens, depth + 1))
    if word == "(":
        inner = _either(tokens, depth + 1)
        if _next(tokens)[1] != ")":
            raise PredicateError("a ) is missing")
        return inner
    if kind != "word" or word in CONSTANTS or word in ("and", "or"):
        raise PredicateError(f"a name is expected, not {word!r}")
    if tokens and tokens[0][1] in COMPARISONS and tokens[0][0] != "text":
        operator = tokens.pop(0)[1]
        return Comparison(word, operator, _value(_next(tokens)))
    return Comparison(word)


def _next(tokens: list[Token]) -> Token:
    if not tokens:
        raise PredicateError("it ends too early")
    return tokens.pop(0)


def _value(token: Token) -> Any:
    kind, word = token
    if kind == "text":
        return word[1:-1]
    if kind == "number":
        return float(word)
    if word in CONSTANTS:
        return CONSTANTS[word]
    raise PredicateError(f"a text in quotes or a number is expected, not {word!r}")


def resolve(name: str, lookup: Lookup) -> Any:
    """What a name stands for; None when it has no output or no such field."""
    head, *fields = name.split(".")
    if head == "inputs" and fields:
        head, fields = f"inputs.{fields[0]}", fields[1:]
    value = lookup(head)
    if fields and isinstance(value, str):
        try:
            value = orjson.loads(unfenced(value))
        except orjson.JSONDecodeError:
            return None
    for field in fields:
        value = value.get(field) if isinstance(value, dict) else None
    return value


def compare(found: Any, operator: str, value: Any) -> bool:
    if operator in ("contains", "starts_with", "ends_with"):
        text, part = folded(found), folded(value)
        if operator == "contains":
            return part in text
        if operator == "starts_with":
            return text.startswith(part)
        return text.endswith(part)
    if operator in ("==", "!="):
        equal = equals(found, value)
        return equal if operator == "==" else not equal
    left, right = number(found), number(value)
    if left is None or right is None:
        return False
    return {
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
    }[operator]


def equals(found: Any, value: Any) -> bool:
    if isinstance(value, float):
        return number(found) == value
    if isinstance(value, str):
        return folded(found) == folded(value)
    return found is value or folded(found) == str(value).casefold()


def number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def folded(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        value = orjson.dumps(value).decode()
    return value.strip().casefold()
