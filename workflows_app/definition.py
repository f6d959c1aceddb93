"""A workflow as a value: its ops, its edges, and what each op says about itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from routing.chat import Json
from workflows_app import template
from workflows_app.predicate import Predicate

OnError = Literal["fail", "skip", "fallback_op"]


@dataclass(frozen=True, slots=True)
class MapOver:
    """Run an op once per item of a list: `over` is an op, `input` or `inputs.NAME`."""

    over: str
    max_items: int = 16
    split: Literal["lines", "paragraphs"] = "lines"


@dataclass(frozen=True, slots=True)
class Op:
    """One model call, or several alike. docs/workflows.md explains each field.

    `tier` and `model` are None and "" when the op is routed by its own score.
    `input_ops` and `output_ops` are as they were written, None when they weren't.
    `query`: does it get the workflow's input; `shown`: the parents whose outputs it
    gets, None for all.
    """

    name: str
    line: int = 0
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)
    prompt: str = ""
    system: str = ""
    template: str = ""
    tier: int | None = None
    model: str = ""
    max_tokens: int | None = None
    temperature: float | None = None
    input_ops: tuple[str, ...] | None = None
    output_ops: tuple[str, ...] | None = None
    query: bool = True
    shown: tuple[str, ...] | None = None
    when: Predicate | None = None
    when_text: str = ""
    map: MapOver | None = None
    json_schema: Json | None = None
    timeout_s: float | None = None
    retries: int = 1
    on_error: OnError = "fail"
    fallback_op: str = ""
    cache: Literal["auto", "off"] = "auto"
    dedupe: bool | None = None
    samples: int = 1
    vote: Literal["majority", "last_line"] = "majority"

    def line_of(self, name: str) -> int:
        """Where a field stands, for those who look for what is wrong."""
        return self.lines.get(name) or self.line

    @property
    def is_auto(self) -> bool:
        return self.tier is None and not self.model

    @property
    def target(self) -> str:
        """The model name its requests ask for."""
        return self.model or ("auto" if self.tier is None else f"tier-{self.tier}")

    def placeholders(self) -> list[str]:
        """Every name its texts put in themselves."""
        return [name for _, name in self.references()]

    def placed(self) -> list[str]:
        """The same, as often as they stand there."""
        texts = (self.system, self.template or self.prompt)
        return [name for text in texts for name in template.PLACEHOLDER.findall(text)]

    def references(self) -> list[tuple[str, str]]:
        """Each name once per field, with the field it is in."""
        of_user = "template" if self.template else "prompt"
        texts = {"system": self.system, of_user: self.template or self.prompt}
        return [
            (where, name)
            for where, text in texts.items()
            for name in template.references(text)
        ]


@dataclass(frozen=True)
class Definition:
    """A workflow that can be run: acyclic, every op reached from a start.

    `parents` and `children` hold the ops of the graph; an op that only stands in for
    another one that failed has no edges and is in `ops` alone. `order` is topological.
    """

    ops: dict[str, Op]
    start_ops: tuple[str, ...]
    end_ops: tuple[str, ...]
    parents: dict[str, tuple[str, ...]]
    children: dict[str, tuple[str, ...]]
    order: tuple[str, ...]
    name: str = ""
    description: str = ""
    inputs: tuple[str, ...] = ()
    max_cost_usd: float | None = None
    deadline_s: float | None = None
    text: str = field(default="", repr=False)


Value = str | list[Any] | None  # an op's output: of a map a list, None when it has none
