"""One mapping of the file, read by its keys: what is right is kept, the rest told."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model

from gateway.configuration.problems import Problems, suggestion
from gateway.configuration.schema import Key, Keys
from gateway.configuration.values import Kind, Value, WrongValue, convert
from gateway.configuration.yaml_source import ListNode, MappingNode, Node, Scalar

T = TypeVar("T", str, int, float, bool)


class Section:
    """The values of a mapping such as `cache` or `models[0]`, by key."""

    def __init__(self, where: str, node: Node, keys: Keys, problems: Problems) -> None:
        self.where = where
        self.line = node.line
        self.keys = keys
        self.problems = problems
        self.values: dict[str, Value] = {}
        self.lines: dict[str, int] = {}
        for key, line, value in entries(where, node, keys, problems):
            self._read(key, line, value)
        for key, rule in keys.items():
            if rule.required and key not in self.lines:
                problems.add(self.line, f"{where} has no {key}")

    def get(self, key: str, kind: type[T]) -> T | None:
        value = self.values.get(key)
        return value if isinstance(value, kind) else None

    def complain(self, key: str, message: str) -> None:
        self.problems.add(self.lines.get(key, self.line), message)

    def place(self, key: str) -> str:
        """Where it stands, as messages begin: `config.yaml:7`."""
        return f"{self.problems.source}:{self.lines.get(key, self.line)}"

    def columns(self, keys: Collection[str]) -> dict[str, object]:
        """What the file gives for those of `keys`, by column."""
        return {
            self.keys[key].column: value
            for key, value in self.values.items()
            if key in keys
        }

    def validate(self, row: Model) -> None:
        """Let the model's fields judge the values that `row` was built from."""
        given = {self.keys[key].column for key in self.values}
        exclude = {f.name for f in row._meta.fields if f.name not in given}
        exclude |= {f.name for f in row._meta.fields if f.is_relation}
        self.check(lambda: row.clean_fields(exclude))

    def check(self, clean: Callable[[], None]) -> None:
        """Run a model's own check and give its messages their lines."""
        try:
            clean()
        except ValidationError as error:
            for column, messages in error.message_dict.items():
                self._complain_of_column(column, messages)

    def _complain_of_column(self, column: str, messages: Iterable[str]) -> None:
        by_column = {rule.column: key for key, rule in self.keys.items()}
        key = by_column.get(column, "")
        name = f"{self.where}.{key}" if key else self.where
        for message in messages:
            self.complain(key, f"{name}: {message}")

    def _read(self, key: str, line: int, node: Node) -> None:
        rule = self.keys[key]
        name = f"{self.where}.{key}"
        if not isinstance(node, Scalar):
            self.problems.add(line, f"{name} must be {rule.kind.value}")
            return
        if node.is_null:
            return
        self.lines[key] = line
        try:
            value = convert(node, rule.kind)
        except WrongValue as hint:
            told = f"; {hint}" if str(hint) else ""
            self.problems.add(line, f"{name} must be {rule.kind.value}{told}")
            return
        if rule.kind is Kind.CHOICE and value not in rule.choices:
            self.problems.add(line, _unknown_choice(self.where, key, node.text, rule))
            return
        self.values[key] = value


def entries(
    where: str, node: Node, known: Collection[str], problems: Problems
) -> Iterable[tuple[str, int, Node]]:
    """Key, line and value of each known key; complains of the unknown ones."""
    if isinstance(node, Scalar) and node.is_null:
        return
    if not isinstance(node, MappingNode):
        problems.add(node.line, f"{where} must be a mapping of keys to values")
        return
    for key, value in node.entries.items():
        line = node.lines[key]
        if key in known:
            yield key, line, value
        else:
            told = suggestion(key, known)
            problems.add(line, f'unknown key "{key}" in {where}{told}')


def items(where: str, node: Node | None, problems: Problems) -> tuple[Node, ...]:
    """The items of a list; none when it is missing or left empty."""
    if node is None or isinstance(node, Scalar) and node.is_null:
        return ()
    if isinstance(node, ListNode):
        return node.items
    problems.add(node.line, f"{where} must be a list; begin each item with -")
    return ()


def check_unique(key: str, sections: Iterable[Section]) -> None:
    """Complain of every section that repeats an earlier one's value of `key`."""
    first: dict[object, Section] = {}
    for section in sections:
        value = section.values.get(key)
        if value is None:
            continue
        earlier = first.setdefault(value, section)
        if earlier is not section:
            section.complain(
                key,
                f'{section.where} has the same {key} "{value}" as {earlier.where} '
                f"on line {earlier.lines[key]}",
            )


def unknown_backend(name: str, where: str, names: Sequence[str]) -> str:
    return f'unknown backend "{name}" in {where}{suggestion(name, names)}'


def unknown_tier(rank: int, where: str, ranks: tuple[int, ...]) -> str:
    return f"unknown tier {rank} in {where}; the models use tiers 1 to {ranks[-1]}"


def _unknown_choice(where: str, key: str, text: str, rule: Key) -> str:
    told = suggestion(text, rule.choices)
    known = ", ".join(choice or '""' for choice in rule.choices)
    return f'unknown {key} "{text}" in {where}{told} (known: {known})'
