"""A config.yaml and the prices that are known of its models."""

import pytest

from gateway.configuration import dump, plan
from gateway.configuration.report import differences
from routing.models import Price
from tests.gateway.configuration.samples import (
    LATER,
    NOW,
    REFERENCE,
    TWO_MODELS,
    load,
    parsed,
)

pytestmark = pytest.mark.django_db

UNPRICED = """\
models:
  - {name: haiku, provider: anthropic, model: claude-haiku-4-5, tier: 1}
  - {name: mine, provider: anthropic, model: my-own-model, tier: 1}
"""
PRICED = """\
models:
  - {name: haiku, provider: anthropic, model: claude-haiku-4-5, tier: 1,
     cost_per_1k_in: 1, cost_per_1k_out: 2}
"""


def rows():
    return [
        (row.backend.name, row.input, row.output, row.source.split()[0])
        for row in Price.objects.order_by("effective_from")
    ]


def test_a_backend_without_a_price_gets_the_known_one_and_it_is_told():
    wanted = plan(parsed(UNPRICED), NOW)
    load(UNPRICED)

    assert rows() == [("haiku", 10**9, 5 * 10**9, "genai-prices")]
    notes = "\n".join(wanted.notes)
    assert "haiku has its price from genai-prices" in notes
    assert "mine has no price; its costs are counted as unpriced" in notes
    change = next(c for c in wanted.changes if c.label == "backend haiku")
    shown = {detail.key: detail.after for detail in change.details}
    assert (shown["cost_per_1k_in"], shown["cost_per_1k_out"]) == ("0.001", "0.005")


def test_loading_it_again_changes_nothing():
    load(UNPRICED, NOW)

    assert load(UNPRICED, LATER) == []


def test_a_price_of_the_file_follows_the_known_one_and_is_kept():
    load(UNPRICED, NOW)
    load(PRICED, LATER)
    load(UNPRICED, LATER.replace(day=5))

    assert [row[1:] for row in rows()] == [
        (10**9, 5 * 10**9, "genai-prices"),
        (10**12, 2 * 10**12, "config.yaml"),
    ]


def test_a_dump_leaves_the_known_price_to_whoever_loads_it():
    load(UNPRICED, NOW)
    text = dump(LATER)

    assert "# price: genai-prices" in text
    assert "cost_per_1k_in" not in text
    assert plan(parsed(text), LATER).is_empty


def test_a_price_that_differs_from_the_known_one_is_used_and_the_difference_told():
    notes = plan(parsed(REFERENCE), NOW).notes
    told = [note for note in notes if "says" in note]

    assert len(told) == 2  # the reference's sonnet costs what it does
    assert told[1].startswith(
        "claude-opus costs $15.00 in, $75.00 out by the file, which is used; "
    )
    assert told[1].endswith("anthropic/claude-opus-4-6 says $5.00 in, $25.00 out")


def test_looking_for_differences_gives_nobody_a_price():
    load(UNPRICED, NOW)
    Price.objects.all().delete()

    assert list(differences(plan(parsed(UNPRICED), LATER, seed=False))) == []


def test_other_names_of_capabilities_are_no_difference():
    text = TWO_MODELS.replace(
        "    tier: 2\n", '    tier: 2\n    capabilities: "+documents -vision"\n'
    )
    load(text)

    assert plan(parsed(text), LATER).is_empty
    assert parsed(text).backends[1].columns["capabilities"] == "-images +files"
