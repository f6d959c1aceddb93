"""`aliases`: what model names sent by clients mean here."""

from collections.abc import Sequence

from gateway.configuration.document import AliasEntry
from gateway.configuration.sections.section import (
    Section,
    check_unique,
    unknown_backend,
    unknown_tier,
)
from routing.models import ModelAlias
from routing.models.aliases import taken


def read_aliases(
    sections: Sequence[Section], ranks: tuple[int, ...], names: Sequence[str]
) -> tuple[AliasEntry, ...]:
    check_unique("pattern", sections)
    return tuple(
        _alias(section, place, ranks, names)
        for place, section in enumerate(sections, start=1)
    )


def _alias(
    section: Section, place: int, ranks: tuple[int, ...], names: Sequence[str]
) -> AliasEntry:
    section.validate(ModelAlias(**section.columns(("pattern", "position"))))
    position = section.get("position", int)
    alias = AliasEntry(
        pattern=section.get("pattern", str) or "",
        position=place if position is None else position,
        tier=section.get("tier", int),
        backend=section.get("backend", str),
    )
    if ("tier" in section.lines) == ("backend" in section.lines):
        section.complain(
            "pattern", f"{section.where} needs a tier or a backend, one of them"
        )
    if told := taken(alias.pattern, ranks, names):
        section.complain("pattern", f"{section.where}.pattern: {told}")
    if ranks and alias.tier is not None and alias.tier not in ranks:
        section.complain("tier", unknown_tier(alias.tier, section.where, ranks))
    if alias.backend is not None and alias.backend not in names:
        section.complain(
            "backend", unknown_backend(alias.backend, section.where, names)
        )
    return alias
