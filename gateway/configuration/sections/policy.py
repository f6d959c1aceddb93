"""The sections that fill the one row of rules: routing, cache, server and so on."""

from collections.abc import Mapping

from gateway.configuration.problems import Problems
from gateway.configuration.schema import ALSO_IN, POLICY
from gateway.configuration.sections.section import Section, unknown_tier
from gateway.configuration.yaml_source import Node
from routing.models import RoutingPolicy


def read_policy(
    nodes: Mapping[str, Node], ranks: tuple[int, ...], problems: Problems
) -> tuple[dict[str, object], int | None]:
    """Columns with their values, and the rank of the baseline tier."""
    columns: dict[str, object] = {}
    baseline_tier: int | None = None
    for name, keys in POLICY.items():
        if name not in nodes:
            continue
        keys = {**keys, **ALSO_IN.get(name, {})}
        section = Section(name, nodes[name], keys, problems)
        given = section.columns(keys.keys() - {"baseline_tier"})
        for key in ALSO_IN.get(name, {}):
            column = keys[key].column
            if column in given and columns.get(column, given[column]) != given[column]:
                section.complain(key, f"{name}.{key} is told twice, and differently")
        row = RoutingPolicy(**given)
        section.validate(row)
        section.check(row.clean)
        columns |= given
        rank = section.get("baseline_tier", int)
        if rank is None:
            continue
        baseline_tier = rank
        if ranks and rank not in ranks:
            section.complain("baseline_tier", unknown_tier(rank, name, ranks))
    return columns, baseline_tier
