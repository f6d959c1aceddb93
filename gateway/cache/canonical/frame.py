"""The frame: what is left of a question when its wording is taken away."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from gateway.cache.canonical import gates
from gateway.cache.canonical.questions import PHRASE_RULES
from gateway.cache.canonical.tokens import tokenise
from gateway.cache.canonical.words import WORD_RULES

VERSION = b"1"  # raise it with every change of a rule: old digests then match nothing
RULES = WORD_RULES + PHRASE_RULES


@dataclass(frozen=True, slots=True)
class Frame:
    """The tokens that matter, in their order, and the payload as it came."""

    core: tuple[str, ...]
    payload: str = ""

    @property
    def digest(self) -> bytes:
        """32 bytes, equal for equal frames: no token holds a line feed."""
        core = "\n".join((*self.core, "", self.payload)).encode(
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
    tokens = prompt.tokens
    for apply in RULES:
        tokens = apply(tokens)
    if not tokens:
        return None, "holds no question"
    return Frame(tuple(tokens), prompt.payload), ""
