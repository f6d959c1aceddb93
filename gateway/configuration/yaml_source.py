"""A YAML file to a small tree that keeps line numbers; refuses YAML's dangerous parts.

Scalars stay text: what `no`, `010` or `12:30:00` mean is decided by the schema, which
knows what it wants there, and money never passes through a float.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from gateway.configuration.problems import Problems

MAX_BYTES = 256 << 10
MAX_DEPTH = 16
# libyaml's parser when PyYAML was built with it: same events, many times faster.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
RESOLVER = yaml.resolver.Resolver()
TEXT_TAG = "tag:yaml.org,2002:str"
NULL_TAG = "tag:yaml.org,2002:null"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value as it is written; `plain` means without quotes."""

    line: int
    text: str
    plain: bool = True

    @property
    def tag(self) -> str:
        """What YAML 1.1 takes the value for."""
        if not self.plain:
            return TEXT_TAG
        return str(RESOLVER.resolve(yaml.ScalarNode, self.text, (True, False)))

    @property
    def is_null(self) -> bool:
        return self.tag == NULL_TAG


@dataclass(frozen=True, slots=True)
class ListNode:
    line: int
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class MappingNode:
    """Keys with their values, and the line of each key."""

    line: int
    entries: dict[str, "Node"]
    lines: dict[str, int] = field(default_factory=dict)


Node = Scalar | ListNode | MappingNode


def parse(content: bytes, problems: Problems) -> Node:
    """The one document in a file. Raises ConfigurationError when it isn't YAML."""
    if len(content) > MAX_BYTES:
        raise problems.stop(1, f"the file is larger than {MAX_BYTES >> 10} KB")
    try:
        text = content.decode("utf-8-sig")
        return _document(yaml.parse(text, Loader=LOADER), problems)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise problems.stop(line, "the file is not UTF-8") from None
    except yaml.reader.ReaderError as error:
        line = content[: error.position].count(b"\n") + 1
        raise problems.stop(line, f"not YAML: {error.reason}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise problems.stop(line, f"not YAML: {error.problem}") from None


def _document(events: Iterator[yaml.Event], problems: Problems) -> Node:
    next(events)  # the start of the stream
    if isinstance(next(events), yaml.StreamEndEvent):
        raise problems.stop(1, "the file is empty")
    root = _node(next(events), events, problems, depth=0)
    next(events)  # the end of the document
    extra = next(events)
    if not isinstance(extra, yaml.StreamEndEvent):
        raise problems.stop(_line(extra), "one YAML document is enough; remove the ---")
    return root


def _node(
    event: yaml.Event, events: Iterator[yaml.Event], problems: Problems, depth: int
) -> Node:
    _refuse_dangers(event, problems, depth)
    if isinstance(event, yaml.ScalarEvent):
        return Scalar(_line(event), event.value, plain=not event.style)
    if isinstance(event, yaml.SequenceStartEvent):
        items = []
        while not isinstance(inner := next(events), yaml.SequenceEndEvent):
            items.append(_node(inner, events, problems, depth + 1))
        return ListNode(_line(event), tuple(items))
    return _mapping(_line(event), events, problems, depth + 1)


def _mapping(
    line: int, events: Iterator[yaml.Event], problems: Problems, depth: int
) -> MappingNode:
    mapping = MappingNode(line, {})
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        key = _node(event, events, problems, depth)
        value = _node(next(events), events, problems, depth)
        if not isinstance(key, Scalar):
            problems.add(key.line, "a key must be a word, not a list or mapping")
        elif key.text in mapping.entries:
            first = mapping.lines[key.text]
            problems.add(key.line, f'the key "{key.text}" is also on line {first}')
        else:
            mapping.entries[key.text] = value
            mapping.lines[key.text] = key.line
    return mapping


def _refuse_dangers(event: yaml.Event, problems: Problems, depth: int) -> None:
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
        # A few lines of nested aliases stand for billions of values.
        raise problems.stop(
            _line(event),
            "YAML anchors (&) and aliases (*) are not supported; repeat the value, "
            "or put it in quotes if it begins with & or *",
        )
    if getattr(event, "tag", None):
        raise problems.stop(_line(event), "YAML tags (!) are not supported; remove it")
    if depth > MAX_DEPTH:
        raise problems.stop(_line(event), f"nested deeper than {MAX_DEPTH} levels")


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1
