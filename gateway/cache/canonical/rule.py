"""A rule of the canonical form, beside the wordings it joins and those it must not."""

from collections.abc import Callable
from dataclasses import dataclass

Tokens = list[str]
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """`same` are pairs this rule makes equal, `differ` pairs that must stay apart.
    The tests try every pair of every rule."""

    name: str
    apply: Callable[[Tokens], Tokens]
    same: Pairs
    differ: Pairs

    def __call__(self, tokens: Tokens) -> Tokens:
        return self.apply(tokens)


def rule(*, same: Pairs, differ: Pairs = ()) -> Callable[..., Rule]:
    def named(apply: Callable[[Tokens], Tokens]) -> Rule:
        return Rule(apply.__name__, apply, same, differ)

    return named
