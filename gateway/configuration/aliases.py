"""Families of model names that clients send, given a meaning at the first import, or
when an operator asks for it."""

from collections.abc import Iterator, Sequence
from enum import Enum
from fnmatch import fnmatchcase

from gateway.configuration.document import AliasEntry, Config
from routing.models import Backend, ModelAlias, Tier


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
    models = [(str(each.columns["model"]), each.tier) for each in config.backends]
    return families_of(models, config.ranks)


def families_of(
    models: Sequence[tuple[str, int]], ranks: Sequence[int]
) -> Iterator[AliasEntry]:
    """One alias per family: the tier of its own models, else one by its strength.

    `models` are upstream names with the ranks of their tiers.
    """
    for place, (pattern, strength) in enumerate(FAMILIES.items()):
        own = [tier for model, tier in models if _family(model) == pattern]
        tier = max(own) if own else _by_strength(strength, ranks)
        yield AliasEntry(pattern, FIRST_POSITION + place, tier=tier)


def seed_families() -> int:
    """Give each family without an alias its tier; returns how many got one."""
    models = list(Backend.objects.values_list("model", "tier__rank"))
    ranks = sorted({rank for _, rank in models})
    if not ranks:
        return 0
    tiers = {tier.rank: tier for tier in Tier.objects.all()}
    known = set(ModelAlias.objects.values_list("pattern", flat=True))
    missing = [a for a in families_of(models, ranks) if a.pattern not in known]
    for alias in missing:
        ModelAlias.objects.create(
            pattern=alias.pattern,
            position=alias.position,
            tier=tiers[alias.tier or ranks[0]],
        )
    return len(missing)


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
