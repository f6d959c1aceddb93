"""config.yaml to a checked `Config`, without looking into the database.

Everything wrong with the file is collected and raised together, with its lines.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from gateway.configuration.document import BackendEntry, Config
from gateway.configuration.problems import (
    ConfigurationError,
    Problems,
    suggestion,
)
from gateway.configuration.schema import LISTS, RULES, SECTIONS
from gateway.configuration.sections.access import check_teams, read_keys, read_teams
from gateway.configuration.sections.aliases import read_aliases
from gateway.configuration.sections.intents import read_intents, read_pins
from gateway.configuration.sections.models import read_backend, read_ranks
from gateway.configuration.sections.policy import read_policy
from gateway.configuration.sections.section import (
    Section,
    check_unique,
    entries,
    items,
)
from gateway.configuration.sections.tiers import read_thresholds, read_tier_names
from gateway.configuration.yaml_source import MAX_BYTES, ListNode, Node, parse


def read(path: Path, environ: Mapping[str, str]) -> Config:
    """The configuration in `path`. Raises ConfigurationError with every problem."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigurationError([f"{path}: {error.strerror}"]) from None
    return read_bytes(content, str(path), environ)


def read_bytes(content: bytes, source: str, environ: Mapping[str, str]) -> Config:
    """The same for a file's content; `source` is what messages begin with."""
    problems = Problems(source)
    root = parse(content, problems)
    nodes = {
        key: node for key, _, node in entries("the file", root, SECTIONS, problems)
    }
    models = _list("models", nodes, problems)
    if not models and not problems:
        problems.add(root.line, "models is missing; give at least one model")
    check_unique("name", models)
    ranks = read_ranks(models)
    backends = tuple(read_backend(section) for section in models)
    names = [backend.name for backend in backends]
    policy, baseline_tier = read_policy(nodes, ranks, problems)
    teams = _list("teams", nodes, problems)
    keys = _list("keys", nodes, problems)
    intents = _list("intents", nodes, problems)
    check_teams(keys, {name for each in teams if (name := each.get("name", str))})
    config = Config(
        backends=backends,
        tier_names=read_tier_names(_list("tiers", nodes, problems), ranks),
        thresholds=read_thresholds(nodes.get("classifier"), ranks, problems),
        aliases=read_aliases(_list("aliases", nodes, problems), ranks, names),
        policy=policy,
        baseline_tier=baseline_tier,
        notes=_unset_variables(models, backends, environ),
        teams=read_teams(teams),
        keys=read_keys(keys),
        intents=read_intents(intents),
        pins=read_pins(_list("intent_pins", nodes, problems), intents, names),
        lists=frozenset(k for k, node in nodes.items() if isinstance(node, ListNode)),
    )
    problems.raise_if_any()
    return config


def read_rules(content: bytes, source: str, ranks: tuple[int, ...]) -> Config:
    """A text that has rules only: thresholds of tiers that exist, and the policy."""
    problems = Problems(source)
    root = parse(content, problems)
    nodes = {key: node for key, _, node in entries("the rules", root, RULES, problems)}
    policy, baseline_tier = read_policy(nodes, ranks, problems)
    thresholds = read_thresholds(nodes.get("classifier"), ranks, problems)
    problems.raise_if_any()
    return Config((), {}, thresholds, (), policy, baseline_tier)


def _list(name: str, nodes: Mapping[str, Node], problems: Problems) -> list[Section]:
    return [
        Section(f"{name}[{index}]", node, LISTS[name], problems)
        for index, node in enumerate(items(name, nodes.get(name), problems))
    ]


def _unset_variables(
    models: Sequence[Section],
    backends: Sequence[BackendEntry],
    environ: Mapping[str, str],
) -> tuple[str, ...]:
    """A note per variable, with the first line that needs it. No error: a file may
    come before its keys."""
    waiting: dict[str, list[str]] = {}
    places: dict[str, str] = {}
    for section, backend in zip(models, backends, strict=True):
        variable = backend.api_key.env if backend.api_key else ""
        if variable and not environ.get(variable):
            waiting.setdefault(variable, []).append(backend.name)
            places.setdefault(variable, section.place("api_key"))
    return tuple(
        f"{places[variable]}: the environment variable {variable} is not set; until "
        f"it is, no requests go to {', '.join(names)}{_remedy(variable, environ)}"
        for variable, names in waiting.items()
    )


def _remedy(variable: str, environ: Mapping[str, str]) -> str:
    present = [name for name, value in environ.items() if value]
    return suggestion(variable, present) or "; set it and start again"
