"""The schema against the rows it fills, the page that explains it, and the example."""

import re

from gateway.configuration import read_bytes
from gateway.configuration.difference import shown
from gateway.configuration.schema import (
    LISTS,
    POLICY,
    SECTIONS,
    classifier_keys,
)
from routing.models import RoutingPolicy
from tests import ROOT

EXAMPLE = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
COMMENTED = re.compile(r"^( *)# ((?:  |- )?[a-z_0-9]+:( |$))", re.MULTILINE)


def all_keys() -> set[tuple[str, str]]:
    """Every (section, key) that a file with three tiers may hold."""
    sections = {**LISTS, **POLICY, "classifier": classifier_keys((1, 2))}
    return {(section, key) for section, keys in sections.items() for key in keys}


def uncommented() -> str:
    """The example with every key in it set free, in its place."""
    text = COMMENTED.sub(r"\1\2", EXAMPLE)
    return re.sub(r"^# (  )", r"\1", text, flags=re.MULTILINE)


def documented() -> dict[tuple[str, str], str]:
    """The default that the page gives for each section and key."""
    found = {}
    for part in PAGE.split("\n### ")[1:]:
        section = part.split("\n", 1)[0]
        for key, default in re.findall(r"^\| `(\w+)` \| (.*?) \|", part, re.MULTILINE):
            found[section, key] = default
    return found


def test_every_key_is_explained_and_no_other():
    assert documented().keys() == all_keys()


def test_the_explained_defaults_are_the_real_ones():
    policy, page = RoutingPolicy(), documented()

    for section, keys in POLICY.items():
        for key, rule in keys.items():
            if key != "baseline_tier":
                assert page[section, key] == shown(getattr(policy, rule.column)), key


def test_every_column_of_the_policy_has_a_key():
    columns = {rule.column for keys in POLICY.values() for rule in keys.values()}

    assert columns == {f.name for f in RoutingPolicy._meta.fields} - {"id"}


def test_the_example_loads_as_it_is():
    config = read_bytes(EXAMPLE.encode(), "config.example.yaml", {})

    assert config.names == ("claude-haiku", "claude-sonnet", "claude-opus")


def test_the_example_holds_every_key_and_comments_those_at_their_default():
    text = uncommented()
    config = read_bytes(text.encode(), "config.example.yaml", {})

    written = set(re.findall(r"^[ -]*([a-z_0-9]+):", text, re.MULTILINE))
    assert written >= {key for _, key in all_keys()} | set(SECTIONS)
    assert config.policy == {
        rule.column: getattr(RoutingPolicy(), rule.column)
        for keys in POLICY.values()
        for key, rule in keys.items()
        if key != "baseline_tier"
    }
    assert "llama-local" in config.names
