"""`tiers` (names) and `classifier` (up to which score each tier answers)."""

import re
from collections.abc import Sequence

from django.core.exceptions import ValidationError

from gateway.configuration.problems import Problems
from gateway.configuration.schema import classifier_keys
from gateway.configuration.sections.section import Section, check_unique
from gateway.configuration.tiers import not_rising, thresholds
from gateway.configuration.yaml_source import MappingNode, Node
from routing.models import Tier

THRESHOLD = re.compile(r"tier([1-9]\d{0,4})_max\Z", re.ASCII)


def read_tier_names(
    sections: Sequence[Section], ranks: tuple[int, ...]
) -> dict[int, str]:
    names: dict[int, str] = {}
    for section in sections:
        section.validate(Tier(**section.columns(("rank", "name"))))
        rank, name = section.get("rank", int), section.get("name", str)
        if rank is None or name is None:
            continue
        if ranks and rank not in ranks:
            section.complain("rank", f"{section.where}: tier {rank} has no backend")
        names[rank] = name
    check_unique("rank", sections)
    check_unique("name", sections)
    return names


def read_thresholds(
    node: Node | None, ranks: tuple[int, ...], problems: Problems
) -> dict[int, int]:
    if node is None:
        return {}
    named = node.entries if isinstance(node, MappingNode) else {}
    written = {key: int(match[1]) for key in named if (match := THRESHOLD.match(key))}
    # A tier that doesn't exist gets a better message than "unknown key".
    keys = classifier_keys((*ranks[:-1], *written.values()))
    section = Section("classifier", node, keys, problems)
    given: dict[int, int] = {}
    for key, rank in written.items():
        if (score := section.get(key, int)) is not None:
            given[rank] = score
            _check_threshold(section, key, rank, ranks)
    if ranks and (sentence := not_rising(thresholds(ranks, given))):
        problems.add(section.line, f"classifier: {sentence}")
    return given


def _check_threshold(
    section: Section, key: str, rank: int, ranks: tuple[int, ...]
) -> None:
    if ranks and rank > ranks[-1]:
        section.complain(
            key, f"unknown tier {rank} in classifier; the highest is {ranks[-1]}"
        )
    elif ranks and rank == ranks[-1]:
        section.complain(
            key, f"tier {rank} is the highest and has no upper bound; remove {key}"
        )
    try:
        Tier._meta.get_field("max_score").clean(section.values[key], None)
    except ValidationError as error:
        section.complain(key, f"classifier.{key}: {' '.join(error.messages)}")
