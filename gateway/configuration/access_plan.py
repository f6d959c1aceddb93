"""What a file would change in the rows of teams and keys."""

from collections.abc import Iterator, Mapping

from gateway.configuration.difference import Change, Outcome, assign, change_of
from gateway.configuration.document import Config
from gateway.configuration.schema import KEY, TEAM
from gateway.models import ApiKey, Team


def plan_teams(config: Config, teams: dict[str, Team]) -> Iterator[Change]:
    """Adds the teams that are new to `teams`."""
    for columns in config.teams:
        name = str(columns["name"])
        row = teams.setdefault(name, Team(name=name))
        yield change_of(f"team {name}", row, assign(row, columns, TEAM))
    known = {str(columns["name"]) for columns in config.teams}
    for name in sorted(teams.keys() - known) if known else ():
        yield Change(f"team {name}", Outcome.NOT_IN_FILE)


def plan_keys(
    config: Config, teams: Mapping[str, Team], keys: Mapping[str, ApiKey]
) -> Iterator[Change]:
    """The bounds of keys that exist: a file holds no secret, so it makes none."""
    for columns in config.keys:
        row = keys.get(str(columns["name"]))
        if row is None:
            continue
        values = dict(columns)
        if "team" in values:
            values["team"] = teams[str(values["team"])] if values["team"] else None
        yield change_of(f"key {row.name}", row, assign(row, values, KEY))


def key_notes(config: Config, keys: Mapping[str, ApiKey]) -> Iterator[str]:
    for columns in config.keys:
        if columns["name"] not in keys:
            yield (
                f"the key {columns['name']} does not exist; make it with manage.py "
                f"create_key {columns['name']}, then load this file again"
            )
