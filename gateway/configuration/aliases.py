"""Families of model names that clients send, given a meaning at the first import."""

from collections.abc import Iterator, Sequence
from enum import Enum
from fnmatch import fnmatchcase

from gateway.configuration.document import AliasEntry, Config


class Strength(Enum):
    LOW = "lowest tier"
    MIDDLE = "middle tier"
    HIGH = "highest tier"


# Specific patterns first: the first that matches a name decides.
FAMILIES = {
    "claude-*haiku*": Strength.LOW,
    "claude-*sonnet*": Strength.MIDDLE,
    "claude-*opus*": Strength.HIGH,
    "gpt-*-nano*": Strength.LOW,
    "gpt-*-mini*": Strength.LOW,
    "gpt-*-pro*": Strength.HIGH,
    "gpt-3.5*": Strength.LOW,
    "gpt-*": Strength.MIDDLE,
    "o?-mini*": Strength.MIDDLE,
    "o1*": Strength.HIGH,
    "o3*": Strength.HIGH,
}
FIRST_POSITION = 1000  # behind every alias that an operator makes


def families(config: Config) -> Iterator[AliasEntry]:
    """One alias per family: the tier of its own backends, else one by its strength."""
    for place, (pattern, strength) in enumerate(FAMILIES.items()):
        own = [
            backend.tier
            for backend in config.backends
            if _family(str(backend.columns["model"])) == pattern
        ]
        tier = max(own) if own else _by_strength(strength, config.ranks)
        yield AliasEntry(pattern, FIRST_POSITION + place, tier=tier)


def _family(model: str) -> str:
    return next((p for p in FAMILIES if fnmatchcase(model, p)), "")


def _by_strength(strength: Strength, ranks: Sequence[int]) -> int:
    match strength:
        case Strength.LOW:
            return ranks[0]
        case Strength.MIDDLE:
            return ranks[len(ranks) // 2]
        case Strength.HIGH:
            return ranks[-1]
