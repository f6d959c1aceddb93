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
        if "name" in columns:
            found.append(columns)
    return tuple(found)


def check_teams(sections: Sequence[Section], teams: Collection[str]) -> None:
    """Complain of a key whose team the file doesn't have."""
    for section in sections:
        name = section.get("team", str)
        if name and name not in teams:
            section.complain(
                "team", f'{section.where}: the team "{name}" is not in teams'
            )
