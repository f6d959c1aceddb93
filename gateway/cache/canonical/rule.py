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
    """A function that applies these regular expressions one after the other. One that
    begins with `^` does so in each of its branches."""
    steps = tuple((needed(each[0]), replacing(*each)) for each in rewrites)

    def rewrite(line: str) -> str:
        for text, step in steps:
            if text in line:  # a tenth of what the step takes to find nothing
                line = step(line)
        return line

    return rewrite


def replacing(pattern: str, new: Replacement) -> Callable[[str], str]:
    """A function that replaces what the pattern finds."""
    compiled = re.compile(pattern)
    # A callable, because a template would be looked at before anything matches.
    expand = filling(new) if isinstance(new, str) else new
    if not pattern.startswith("^"):
        return partial(compiled.sub, expand)
    # `sub` would look for the start of the line at each of its characters.
    match = compiled.match

    def replace_start(line: str) -> str:
        found = match(line)
        return expand(found) + line[found.end() :] if found else line

    return replace_start


def filling(template: str) -> Callable[[re.Match[str]], str]:
    """`re.Match.expand`, with the template read once."""
    form = re.sub(r"\\(\d)", lambda place: f"{{{int(place[1]) - 1}}}", template)
    return lambda found: form.format(*found.groups(""))


ANY = "\0"  # stands for text that isn't known
UNKNOWN = re.compile(r"\\.|\[\^?[^\]]*\]|\.")
GROUP = re.compile(r"\((\?(?:[:=!]|<[=!]))?([^()]*)\)([*?]\??|\{0[^}]*\}\??)?")
# What ends a run of letters: a repeat, with the letter that it is of, or a mark.
ENDS = re.compile(r".(?:[*?]|\{[^}]*\})\??|[^a-z0-9 ',]")


def needed(pattern: str) -> str:
    """The longest text without which a pattern finds nothing; "" if there is none."""
    text = UNKNOWN.sub(ANY, pattern)
    while "(" in text:
        text = GROUP.sub(known, text)
    return "" if "|" in text else max(ENDS.split(text), key=len)


def known(group: re.Match[str]) -> str:
    """The part of a pattern that says the same as one of its groups, or less."""
    kind, inside, optional = group.groups()
    if optional or "|" in inside or kind not in (None, "?:", "?="):
        return ANY
    # What follows a look ahead is where it looked.
    return inside + ANY if kind == "?=" else inside
