"""The frame: what is left of a question when its wording is taken away."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from gateway.cache.canonical import gates
from gateway.cache.canonical.lexicon import canonical
from gateway.cache.canonical.phrases import PHRASES, arranged
from gateway.cache.canonical.politeness import POLITENESS
from gateway.cache.canonical.quantities import QUANTITIES
from gateway.cache.canonical.tokens import tokenise

VERSION = b"2"  # raise it with every change of a rule: old digests then match nothing
RULES = POLITENESS + QUANTITIES + PHRASES


@dataclass(frozen=True, slots=True)
class Frame:
    """The words that matter, and the material as it came.

    `core` holds them in their order, but for free phrases, which come last and sorted.
    """

    core: tuple[str, ...]
    material: str = ""

    @property
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
    line = " ".join(filter(None, map(canonical, prompt.words)))
    words = set(line.split(" "))
    for rule in RULES:
        if not rule.words or not rule.words.isdisjoint(words):
            rewritten = rule.apply(line)
            if rewritten is not line:
                line, words = rewritten, set(rewritten.split(" "))
    core = arranged(line)
    if not core:
        return None, "holds no question"
    return Frame(core, prompt.material), ""
