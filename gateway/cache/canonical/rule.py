"""A rule of the canonical form, beside the wordings it joins and those it must not."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from gateway.cache.canonical.english import word_set

Replacement = str | Callable[[re.Match[str]], str]
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """Rewrites a line: canonical words with one space between them.

    `words` are those without one of which it has nothing to do, which spares the rest
    of its work; empty when it must always look. `same` are pairs this rule makes equal,
    `differ` pairs that must stay apart. The tests try every pair of every rule.
    """

    name: str
    words: frozenset[str]
    apply: Callable[[str], str]
    same: Pairs
    differ: Pairs


def rule(
    *, words: str = "", same: Pairs = (), differ: Pairs = ()
) -> Callable[..., Rule]:
    def named(apply: Callable[[str], str]) -> Rule:
        return Rule(apply.__name__, word_set(words), apply, same, differ)

    return named


def rewriting(*rewrites: tuple[str, Replacement]) -> Callable[[str], str]:
    """A function that applies these regular expressions one after the other."""
    compiled = tuple(
        # A callable, because a template would be looked at before anything matches.
        (
            re.compile(pattern).sub,
            partial(re.Match.expand, template=new) if isinstance(new, str) else new,
        )
        for pattern, new in rewrites
    )

    def rewrite(line: str) -> str:
        for sub, expand in compiled:
            line = sub(expand, line)
        return line

    return rewrite
