"""The frame: what is left of a question when its wording is taken away."""

import hashlib
from dataclasses import dataclass
from functools import cached_property, lru_cache

from gateway.cache.canonical import articles, gates, order, phrases
from gateway.cache.canonical.amounts import AMOUNTS
from gateway.cache.canonical.idioms import IDIOM_RULES
from gateway.cache.canonical.lexicon import canonical
from gateway.cache.canonical.mentions import as_words
from gateway.cache.canonical.methods import METHODS, write
from gateway.cache.canonical.numbers import NUMBERS
from gateway.cache.canonical.politeness import POLITENESS, question_mark
from gateway.cache.canonical.questions import QUESTIONS, what_or_which
from gateway.cache.canonical.requests import REQUESTS
from gateway.cache.canonical.rule import Rule
from gateway.cache.canonical.sums import SUMS
from gateway.cache.canonical.superlatives import SUPERLATIVES, good
from gateway.cache.canonical.tokens import tokenise
from gateway.cache.canonical.verbs import VERB_RULES

VERSION = b"8"  # raise it with every change of a rule: old digests then match nothing
# These see the words as they came, with articles and commas, and look once.
READING: tuple[Rule, ...] = (
    *POLITENESS,
    *REQUESTS,
    question_mark,
    order.fronted,
    write,  # needs the articles: "write a customer an email"
    good,  # as well: "a good"
    phrases.word_itself,
    articles.saying,  # as well
    phrases.empty_words,
)
# These see bare words, and look again until there is nothing left to do.
REWRITING: tuple[Rule, ...] = (
    *NUMBERS,
    what_or_which,
    phrases.possessive,
    phrases.relations,
    *METHODS,
    *SUMS,
    *QUESTIONS,
    *AMOUNTS,
    *IDIOM_RULES,
    *VERB_RULES,
    *SUPERLATIVES,
    order.between,
    order.lists,
    order.upright,
    phrases.do_support,
    phrases.why_is,
    phrases.what_is,
)
RULES = (*READING, *REWRITING)
MAX_PASSES = 12  # three are many


@dataclass(frozen=True)
class Frame:
    """The words that matter, and the material as it came.

    `core` holds them in their order, but for free phrases, which come last and sorted.
    """

    core: tuple[str, ...]
    material: str = ""

    @cached_property  # frames are kept, and asked again
    def digest(self) -> bytes:
        """32 bytes, equal for equal frames: no word holds a line feed."""
        core = "\n".join((*self.core, "", self.material)).encode(
            "utf-8", "surrogatepass"
        )
        return hashlib.sha256(VERSION + b"\n" + core).digest()


def frame(text: str) -> Frame | None:
    """The canonical form, or None when only the exact text may be matched."""
    return examine(text)[0]


def refusal(text: str) -> str:
    """Which rule says that only the exact text may be matched, or ""."""
    return examine(text)[1]


@lru_cache(maxsize=4096)
def examine(text: str) -> tuple[Frame | None, str]:
    """The frame and "", or None and why there is none. Questions repeat: kept."""
    if len(text) > gates.MAX_CHARS:
        return None, f"longer than {gates.MAX_CHARS} characters"
    prompt = tokenise(text)
    if why := gates.refusal(prompt):
        return None, why
    line = settled(applied(READING, canonical_line(as_words(prompt.words))))
    if line is None:
        return None, "its words don't come to rest"
    core = order.arranged(line)
    if not core:
        return None, "holds no question"
    return Frame(core, prompt.material), ""


def applied(rules: tuple[Rule, ...], line: str) -> str:
    """The line after each of these rules, in their order."""
    words = set(line.split(" "))
    for rule in rules:
        if not rule.words or not rule.words.isdisjoint(words):
            rewritten = rule.apply(line)
            if rewritten is not line:
                line, words = rewritten, set(rewritten.split(" "))
    return line


def settled(line: str) -> str | None:
    """The line that rewriting leaves as it is. None when there is none in sight.

    Where rules undo each other, the first in the alphabet of the lines that they go
    round: it is the same one wherever they began.
    """
    seen = [line]
    for _ in range(MAX_PASSES):
        line = applied(REWRITING, line)
        if line == seen[-1]:
            return line
        if line in seen:
            return min(seen[seen.index(line) :])
        seen.append(line)
    return None


def canonical_line(words: list[str]) -> str:
    return " ".join(map(canonical, words))
