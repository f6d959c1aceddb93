"""`teams` and `keys`: who may spend how much."""

from collections.abc import Collection, Mapping, Sequence

from django.db.models import Model

from gateway.configuration.sections.section import Section, check_unique
from gateway.models import ApiKey, Team


def read_teams(sections: Sequence[Section]) -> tuple[Mapping[str, object], ...]:
    return _rows(sections, Team)


def read_keys(sections: Sequence[Section]) -> tuple[Mapping[str, object], ...]:
    return _rows(sections, ApiKey)


def _rows(
    sections: Sequence[Section], model: type[Model]
) -> tuple[Mapping[str, object], ...]:
    check_unique("name", sections)
    found = []
    for section in sections:
        columns = section.columns(section.keys.keys())
        plain = {name: value for name, value in columns.items() if name != "team"}
        section.validate(model(**plain))
        check_bounds(section)
        if "name" in columns:
            found.append(columns)
    return tuple(found)


def check_bounds(section: Section) -> None:
    least, most = section.get("min_tier", int), section.get("max_tier", int)
    if least is not None and most is not None and least > most:
        told = f"{section.where}.min_tier: The lowest tier is above the highest."
        section.complain("min_tier", told)


def check_teams(sections: Sequence[Section], teams: Collection[str]) -> None:
    """Complain of a key whose team the file doesn't have."""
    for section in sections:
        name = section.get("team", str)
        if name and name not in teams:
            section.complain(
                "team", f'{section.where}: the team "{name}" is not in teams'
            )
