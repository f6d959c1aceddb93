"""Every rule against the wordings it promises to join and the traps beside it."""

import pytest

from gateway.cache.canonical import frame, refusal
from gateway.cache.canonical.frame import RULES

SAME = [(rule.name, *pair) for rule in RULES for pair in rule.same]
DIFFER = [(rule.name, *pair) for rule in RULES for pair in rule.differ]


@pytest.mark.parametrize(("name", "one", "other"), SAME)
def test_a_rule_joins_its_examples(name, one, other):
    assert frame(one) is not None, refusal(one)
    assert frame(one) == frame(other), name


@pytest.mark.parametrize(("name", "one", "other"), DIFFER)
def test_a_rule_keeps_its_traps_apart(name, one, other):
    assert frame(one) is None or frame(one) != frame(other), name
